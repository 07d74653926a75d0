import { basename } from 'node:path'
import { splitBySite } from '#adapters/cohort/split-by-site.ts'
import { protocolFromData } from '#app/protocol/draft-protocol.ts'
import { protocolOf, readProtocol } from '#app/protocol/protocol-file.ts'
import type { DraftProtocol } from '#app/protocol/protocol-schema.ts'
import { usualValidation } from '#app/protocol/usual-validation.ts'
import { RotaError } from '#base/errors.ts'
import { FEWEST_IN_ROUND } from '#core/masking/drawn-groups.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { type GeneratedCohort, generateCohort } from '#core/model/generated-cohort.ts'
import type { SplitTable } from '#core/model/table.ts'
import { leastKeying, leastLimit } from '#core/protocol/least-limit.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { checkAgainst, checkMode, learnerOf, type SimulateOptions } from './simulate-options.ts'

/** A study with the rows of its sites, all in one place: for simulations only. */
export interface SimulatedStudy {
  readonly protocol: Protocol
  /** Sites with enough train rows, by name. */
  readonly tables: ReadonlyMap<string, SplitTable>
  readonly leftOut: readonly string[]
  /** What generated rows were made with. */
  readonly truth: GeneratedCohort['truth'] | null
}

const USUAL_ROWS = 200
const USUAL_MIN_ROWS = 10

/** @throws ROTA-1101 to 1104, and ROTA-3xxx when protocol or rows are not as they should be */
export async function simulatedStudy(options: SimulateOptions): Promise<SimulatedStudy> {
  const study = await studyOf(options)
  checkMode(study.protocol, study.tables.size)
  return study
}

async function studyOf(options: SimulateOptions): Promise<SimulatedStudy> {
  const { data, sites } = options
  if (data !== undefined && sites !== undefined) throw new RotaError('ROTA-1102', { option: '--sites', other: '--data' })
  if (data !== undefined) return options.protocol === undefined ? drafted(data, options) : prescribed(data, options.protocol, options)
  if (sites === undefined) throw new RotaError('ROTA-1101', { reason: options.protocol === undefined ? 'no rows' : 'a protocol, but no rows' })
  if (options.protocol !== undefined) throw new RotaError('ROTA-1102', { option: '--sites', other: '--protocol: generated rows have columns of their own' })
  return generated(sites, options)
}

async function prescribed(data: string, file: string, options: SimulateOptions): Promise<SimulatedStudy> {
  // Another network's run is not here: a rehearsal begins with what the protocol makes.
  const { start: _, ...protocol } = await readProtocol(file)
  checkAgainst(protocol, options)
  return checked(withEnough(protocol, await splitBySite(data, protocol)))
}

/** Ranges come from the data; the label's kind from the learner, so that a label which does not fit it is named by its line. */
async function drafted(data: string, options: SimulateOptions): Promise<SimulatedStudy> {
  const learner = learnerOf(options)
  const { label, drop, minRows } = options
  const draft = await protocolFromData(data, { label, drop, learner: { kind: 'statistics' }, minRows: minRows ?? USUAL_MIN_ROWS, minSites: 1, maxSites: 256 })
  const kind = ({ logistic: 'binary', linear: 'number', poisson: 'count', statistics: draft.label.kind } as const)[learner.kind]
  const { maxRounds, limits, quorum, ...rest } = draft
  const written: DraftProtocol = {
    ...rest,
    title: `Simulation of ${basename(data)}`,
    purpose: 'Trying it out',
    cohort: { ...draft.cohort, rule: `rows of ${basename(data)}` },
    label: { ...draft.label, kind, range: kind === 'binary' ? [0, 1] : draft.label.range },
    learner,
  }
  const wide = protocolOf(written, `draft for ${data}`)
  const study = withEnough(wide, await splitBySite(data, wide))
  return { ...study, protocol: fitted(wide, study.tables.size, options) }
}

function generated(sites: number, options: SimulateOptions): SimulatedStudy {
  const { rows = USUAL_ROWS, seed = 1, label, minRows = USUAL_MIN_ROWS } = options
  const cohort = generateCohort({ sites, rows, seed })
  if (label !== undefined && label !== cohort.label.name)
    throw new RotaError('ROTA-1102', { option: `--label ${label}`, other: `--sites: the generated label is ${cohort.label.name}` })
  const dropped = new Set(options.drop ?? [])
  const written: DraftProtocol = {
    title: `Simulation of ${sites} generated sites`,
    purpose: 'Trying it out',
    lawfulBasis: 'opt-out',
    programme: 'none',
    cohort: { rule: 'generated rows', minRows, maxRows: 2 * Math.max(rows, minRows) },
    features: cohort.features.filter(({ name }) => !dropped.has(name)),
    label: cohort.label,
    learner: learnerOf(options),
    minSites: 1,
    maxSites: 256,
  }
  const protocol = protocolOf(written, 'generated study')
  const columns = protocol.features.map(({ name }) => name)
  const study = withEnough(protocol, new Map(cohort.sites.map(({ name, table }) => [name, select(table, columns)])))
  return { ...study, protocol: fitted(protocol, study.tables.size, options), truth: dropped.size === 0 ? cohort.truth : null }
}

/** The columns wanted, in their order. */
function select({ train, test }: SplitTable, columns: readonly string[]): SplitTable {
  const pick = (table: SplitTable['train']): SplitTable['train'] => {
    const from = columns.map((name) => table.columns.indexOf(name))
    const width = table.columns.length
    const values = Float64Array.from(
      { length: table.rows * columns.length },
      (_, i) => table.values[Math.floor(i / columns.length) * width + (from[i % columns.length] as number)] as number,
    )
    return { ...table, columns, values }
  }
  return { train: pick(train), test: pick(test) }
}

function withEnough(protocol: Protocol, all: ReadonlyMap<string, SplitTable>): SimulatedStudy {
  const enough = [...all].filter(([, { train }]) => train.rows >= protocol.cohort.minRows)
  const tables = new Map(enough)
  return { protocol, tables, leftOut: [...all.keys()].filter((site) => !tables.has(site)), truth: null }
}

/** A drafted protocol asks for exactly the sites that are there; where some are to drop out, for as many as a round needs. */
function fitted(protocol: Protocol, sites: number, { mode = 'open', dropOut = 0 }: SimulateOptions): Protocol {
  // Each call makes a block there, at least a second after the one before it. Whoever drops out is waited for until a limit has passed.
  const seconds = Math.max(dropOut > 0 ? 30 : 600, 3 * sites)
  const limit = { seconds, blocks: leastLimit('witnessing', sites, protocol.slices) }
  const limits = {
    keying: { seconds: Math.max(30, 3 * sites), blocks: leastKeying(sites) },
    contributing: limit,
    witnessing: limit,
    publishing: limit,
    attesting: limit,
  }
  const enough = mode === 'open' ? Math.floor(sites / 2) + 1 : Math.max(thresholdOf(sites), mode === 'groups' ? FEWEST_IN_ROUND : 1)
  const quorum = Math.max(1, dropOut > 0 ? Math.min(sites, enough) : sites)
  const validation = usualValidation({ ...protocol, mode })
  const votes = validation === undefined ? {} : { validation }
  const study = { ...protocol, mode, minSites: Math.max(1, sites), quorum, maxSites: Math.max(1, sites), limits, ...votes }
  return checked({ protocol: study, tables: new Map(), leftOut: [], truth: null }, sites).protocol
}

function checked(study: SimulatedStudy, sites = study.tables.size): SimulatedStudy {
  const { minSites, quorum, cohort } = study.protocol
  const needed = Math.max(minSites, quorum)
  if (sites >= needed) return study
  throw new RotaError('ROTA-1103', { found: sites, minRows: cohort.minRows, needed, leftOut: study.leftOut.join(', ') || 'none' })
}
