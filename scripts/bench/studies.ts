import { protocolOf } from '#app/protocol/protocol-file.ts'
import type { DraftProtocol } from '#app/protocol/protocol-schema.ts'
import { sigmoid } from '#core/learner/elementary.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { SplitTable, Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'

/** A study as the benchmark plays it, and the rows of its hospitals. */
export interface BenchStudy {
  readonly protocol: Protocol
  readonly sites: readonly { readonly name: string; readonly rows: SplitTable }[]
}

/** 13 features and an intercept: 14 weights, as in the peers' study of heart disease. */
const FEATURES = 13
const NAMES = ['cleveland', 'hungarian', 'switzerland', 'va']
/** Rows as many as the four hospitals of that study have. */
const ROWS = [199, 172, 30, 85]
const TEST_ROWS = [104, 89, 16, 45]

/** FedAvg of the logistic model, 5 local steps at a rate of 0.5, L2 0.01: what the peers train. */
export const smallStudy = (rounds: number, limits = LIMITS): BenchStudy => ({
  protocol: studied({ kind: 'logistic', algorithm: 'fedavg', rounds, localSteps: 5, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }, ROWS.length, limits),
  sites: ROWS.map((rows, i) => ({ name: NAMES[i] as string, rows: { train: table(i, rows), test: table(100 + i, TEST_ROWS[i] as number) } })),
})

/** Dense layers of `hidden` units over 13 features, in as many slices as sites; few rows, so that what is measured is what moves, not what is trained. */
export const largeStudy = (hidden: readonly [number, number], rounds: number): BenchStudy => ({
  protocol: studied(
    {
      kind: 'neural',
      algorithm: 'fedavg',
      layers: [dense(hidden[0], 'relu'), dense(hidden[1], 'relu'), dense(1, 'sigmoid')],
      loss: 'binaryCrossentropy',
      rounds,
      localEpochs: 1,
      batchSize: 32,
      learningRate: 0.1,
      standardise: 'pooled',
      normBound: 10,
    },
    4,
    LIMITS,
    NAMES.length,
  ),
  sites: NAMES.map((name, i) => ({ name, rows: { train: table(i, 12), test: table(100 + i, 1) } })),
})

/** Five sites, as few as a masked study may have: 14 weights, or dense layers of `hidden` units. A round is over before its limits matter. */
export function fiveSites(mode: Protocol['mode'], rounds: number, hidden: readonly [number, number] | null): BenchStudy {
  const { protocol } = hidden === null ? smallStudy(rounds) : largeStudy(hidden, rounds)
  const size = { minSites: FIVE, quorum: FIVE, maxSites: FIVE, slices: hidden === null ? 1 : FIVE }
  const rows = (i: number): SplitTable =>
    hidden === null ? { train: table(i, 120), test: table(100 + i, 30) } : { train: table(i, 12), test: table(100 + i, 1) }
  const limit = { seconds: 60, blocks: 20 }
  const limits = { keying: limit, contributing: limit, witnessing: limit, publishing: limit, attesting: limit }
  return { protocol: { ...protocol, ...size, limits, mode }, sites: Array.from({ length: FIVE }, (_, i) => ({ name: `site-${i}`, rows: rows(i) })) }
}
export const FIVE = 5

/** Sites of like size for the simulator. */
export const manySites = (sites: number, rounds: number): BenchStudy => ({
  protocol: studied({ kind: 'logistic', algorithm: 'fedavg', rounds, localSteps: 5, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }, sites, {
    seconds: 3 * sites,
    blocks: 2 * sites,
  }),
  sites: Array.from({ length: sites }, (_, i) => ({ name: `site-${i}`, rows: { train: table(i, 80), test: table(1_000 + i, 20) } })),
})

/** Simulated sites with a model cut into as many slices; a round is over before its limits matter. */
export function slicedSites(sites: number, hidden: readonly [number, number], rounds: number): BenchStudy {
  const { protocol } = largeStudy(hidden, rounds)
  const limit = { seconds: 3_600, blocks: 20 * sites }
  const limits = { keying: limit, contributing: limit, witnessing: limit, publishing: limit, attesting: limit }
  const rows = (i: number): SplitTable => ({ train: table(i, 12), test: table(1_000 + i, 1) })
  return {
    protocol: { ...protocol, limits, minSites: sites, quorum: sites, maxSites: sites, slices: sites },
    sites: Array.from({ length: sites }, (_, i) => ({ name: `site-${i}`, rows: rows(i) })),
  }
}

const dense = (units: number, activation: 'relu' | 'sigmoid') => ({ className: 'Dense' as const, config: { units, activation, useBias: true } })

/** Weights of the network over 13 features. */
export const weightsOf = ([a, b]: readonly [number, number]): number => FEATURES * a + a + a * b + b + b + 1

const LIMITS = { seconds: 60, blocks: 15 }

function studied(learner: DraftProtocol['learner'], sites: number, limit: { readonly seconds: number; readonly blocks: number }, slices = 1): Protocol {
  const written: DraftProtocol = {
    title: 'Benchmark',
    purpose: 'Measures how long a round takes',
    lawfulBasis: 'opt-out',
    programme: 'benchmark',
    cohort: { rule: 'all rows', minRows: 10, maxRows: 1_000 },
    features: Array.from({ length: FEATURES }, (_, j) => ({ name: `x${j + 1}`, range: [-1, 1] as const })),
    label: { name: 'y', kind: 'binary', range: [0, 1] },
    learner,
    limits: Object.fromEntries(['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, limit])),
  }
  // A simulated chain takes more sites than a protocol that is read from a file may have.
  return { ...protocolOf(written, 'the benchmark'), minSites: sites, quorum: sites, maxSites: sites, slices }
}

function table(seed: number, rows: number): Table {
  const random = new Seeded(seed + 1)
  const values = Float64Array.from({ length: rows * FEATURES }, () => Math.round((2 * random.uniform() - 1) * 1e6) / 1e6)
  const label = Float64Array.from({ length: rows }, (_, i) => {
    let eta = 0
    for (let j = 0; j < FEATURES; j++) eta += (values[i * FEATURES + j] as number) * (j % 3 === 0 ? 1 : -0.5)
    return random.uniform() < sigmoid(eta) ? 1 : 0
  })
  return { columns: Array.from({ length: FEATURES }, (_, j) => `x${j + 1}`), rows, values, label }
}
