import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { concat, type Sha256 } from '#base/bytes.ts'
import { pooledTable, type RehearsalTools, rehearse, type SiteTables } from '#core/learner/rehearse.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { SplitTable, Table } from '#core/model/table.ts'
import { wordBitsFor } from '#core/protocol/check.ts'
import type { Feature, FedAvgSpec, Label, LearnerSpec, NeuralSpec, Protocol, RegressionSpec } from '#core/protocol/protocol.ts'

export const sha256: Sha256 = (...parts) => hash('sha256', parts.length === 1 ? (parts[0] as Uint8Array) : concat(...parts), 'buffer')

export const tools = (seed = 1): RehearsalTools => ({ sha256, random: new Seeded(seed), signal: new AbortController().signal })

/** Real data and reference numbers beside the repository, where they are there. */
const SHARED = join(dirname(fileURLToPath(import.meta.url)), '../../../../shared')
export const sharedPath = (path: string): string | null => (existsSync(join(SHARED, path)) ? join(SHARED, path) : null)

export function sharedJson<T>(path: string): T | null {
  const file = sharedPath(path)
  return file ? (JSON.parse(readFileSync(file, 'utf8')) as T) : null
}

/** Said in the output, so that a reader knows which of the two was tested. */
export const SHARED_STATE = sharedPath('data/prepared/heart.csv')
  ? 'tested on ../shared data and on generated cases'
  : 'no ../shared here: tested on generated cases alone'

interface Csv {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

function readCsv(file: string): Csv {
  const [header, ...rows] = readFileSync(file, 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','))
  return { header: header as string[], rows }
}

/** The four hospitals of heart.csv with `label` as given and `drop` left out, valid ranges as a draft would propose. */
export function heart(options: { label?: string; drop?: readonly string[] } = {}): { sites: SiteTables; features: Feature[]; label: Label } | null {
  const file = sharedPath('data/prepared/heart.csv')
  if (!file) return null
  const csv = readCsv(file)
  const label = options.label ?? 'label'
  const names = csv.header.filter((name) => !['site', 'set', label, ...(options.drop ?? [])].includes(name))
  const columnOf = (name: string): number[] => csv.rows.map((row) => Number(row[csv.header.indexOf(name)]))
  const rangeOf = (name: string): [number, number] => [Math.min(...columnOf(name)), Math.max(...columnOf(name))]
  const table = (site: string, set: string): Table => {
    const rows = csv.rows.filter((row) => row[0] === site && row[1] === set)
    const pick = (row: readonly string[], name: string): number => Number(row[csv.header.indexOf(name)])
    return tableOf(
      names,
      rows.map((row) => names.map((name) => pick(row, name))),
      rows.map((row) => pick(row, label)),
    )
  }
  const sites = [...new Set(csv.rows.map((row) => row[0] as string))]
  const kind = label === 'label' ? 'binary' : 'number'
  return {
    sites: Object.fromEntries(sites.map((site) => [site, { train: table(site, 'train'), test: table(site, 'test') }])),
    features: names.map((name) => ({ name, description: name, unit: '1', range: rangeOf(name), missing: 'refuse' })),
    label: { name: label, description: label, unit: '1', kind, range: kind === 'binary' ? [0, 1] : [0, rangeOf(label)[1]] },
  }
}

export function tableOf(columns: readonly string[], rows: readonly (readonly number[])[], label: readonly number[]): Table {
  return { columns, rows: rows.length, values: Float64Array.from(rows.flat()), label: Float64Array.from(label) }
}

export const noRows = (columns: readonly string[]): Table => tableOf(columns, [], [])

const LIMIT = { seconds: 30, blocks: 7 }

export function protocolOf(learner: LearnerSpec, features: readonly Feature[], label: Label, changes: Partial<Protocol> = {}): Protocol {
  return {
    version: 1,
    title: 'A test',
    purpose: 'To test',
    lawfulBasis: 'consent',
    programme: 'test',
    cohort: { rule: 'all', minRows: 1, maxRows: 10_000 },
    features,
    label,
    learner,
    arithmetic: { wordBits: wordBitsFor(learner), fractionBits: 32 },
    mode: 'open',
    slices: 1,
    minSites: 1,
    quorum: 1,
    maxSites: 23,
    limits: { keying: LIMIT, contributing: LIMIT, witnessing: LIMIT, publishing: LIMIT, attesting: LIMIT },
    maxRounds: 1000,
    readers: [],
    ...changes,
  }
}

export const newton = (kind: RegressionSpec['kind'], changes: Partial<RegressionSpec> = {}): RegressionSpec => ({
  kind,
  algorithm: 'newton',
  l2: 0,
  siteIntercepts: false,
  standardise: 'pooled',
  tolerance: 1e-9,
  maxIterations: 25,
  ...changes,
})

export const fedavg = (rounds: number, localSteps: number, changes: Partial<FedAvgSpec> = {}): FedAvgSpec => ({
  kind: 'logistic',
  algorithm: 'fedavg',
  rounds,
  localSteps,
  learningRate: 0.5,
  l2: 0.01,
  standardise: 'pooled',
  ...changes,
})

export const network = (changes: Partial<NeuralSpec> = {}): NeuralSpec => ({
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [
    { className: 'Dense', config: { units: 6, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } },
  ],
  loss: 'binaryCrossentropy',
  rounds: 3,
  localEpochs: 1,
  batchSize: 16,
  learningRate: 0.1,
  standardise: 'pooled',
  normBound: 10,
  fractionBits: 20,
  seed: 'test',
  ...changes,
})

export const sitesOf = (sites: readonly { readonly name: string; readonly table: SplitTable }[]): SiteTables =>
  Object.fromEntries(sites.map(({ name, table }) => [name, table]))

export { pooledTable, rehearse }

/** Largest difference of two lists of equal length. */
export function apart(actual: readonly (number | null)[] | null | undefined, expected: readonly (number | null)[]): number {
  if (!actual || actual.length !== expected.length) return Number.POSITIVE_INFINITY
  return Math.max(...expected.map((e, i) => (e === null && actual[i] === null ? 0 : Math.abs((actual[i] ?? Number.NaN) - (e ?? Number.NaN)))))
}
