import { protocolOf } from '#app/protocol/protocol-file.ts'
import type { DraftProtocol } from '#app/protocol/protocol-schema.ts'
import { FEWEST_IN_STUDY } from '#core/masking/drawn-groups.ts'
import { FEWEST_MASKED } from '#core/masking/threshold.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import type { SplitTable } from '#core/model/table.ts'
import { leastKeying, leastLimit } from '#core/protocol/least-limit.ts'
import { hidesUpdates, type LearnerSpec, type LimitedPhase, type Protocol } from '#core/protocol/protocol.ts'

/**
 * What the hospitals of a seed work on. `weights`: FedAvg; `fit`: Newton to its end; `large`: vectors that do not travel in messages; `averaged`, of seeds in
 * groups: an exact regression whose fits are averaged; `resting`, which no seed draws: a fit in which patients may rest.
 */
export const STUDIES = ['weights', 'fit', 'large', 'resting', 'averaged'] as const
export type StudyKind = (typeof STUDIES)[number]

export interface ChaosStudy {
  readonly protocol: Protocol
  readonly sites: readonly { readonly name: string; readonly rows: SplitTable }[]
}

/** Rounds of training; moments come before them and the evaluation after. */
export const ROUNDS = 6
const ROWS = 30
/** Of which a quarter may rest. */
const RESTING_ROWS = 80
/** In seconds: who trains for longer asks for more time. */
export const CONTRIBUTING_S = 30
const KEYING_S = 40
/**
 * In groups for each site. Each call of a site is a second of chain time here, and between deals and keys, a quarter of the limit, what was lost has to be said again:
 * where two words between sites of one group are missing the group may sit out.
 */
const GROUPED_KEYING_S = 8
const PHASES: readonly LimitedPhase[] = ['keying', 'contributing', 'witnessing', 'publishing', 'attesting']
/** Enough for a vector above the limit of what travels inline, over three features. */
const LARGE_UNITS = 13_100

/** @param quorum updates that a round needs at least */
export function chaosStudy(kind: StudyKind, sites: number, quorum: number, slices = 1, mode: Protocol['mode'] = 'open'): ChaosStudy {
  const { protocol, sites: rows } = known.get(`${kind} ${sites}`) ?? drafted(kind, sites)
  known.set(`${kind} ${sites}`, { protocol, sites: rows })
  const usual = Object.fromEntries(PHASES.map((phase) => [phase, limitOf(phase, sites, slices)])) as Protocol['limits']
  // What is lost while keys are exchanged is said again.
  const limits = hidesUpdates({ mode })
    ? { ...usual, keying: { seconds: mode === 'groups' ? GROUPED_KEYING_S * sites : KEYING_S, blocks: leastKeying(sites) } }
    : usual
  const minSites = Math.max(FEWEST[mode] ?? quorum, slices)
  return { protocol: { ...protocol, mode, minSites, quorum, slices, limits }, sites: rows }
}

/** Sites of a study at least; an open one has as many as a round needs. */
const FEWEST: Readonly<Partial<Record<Protocol['mode'], number>>> = { masked: FEWEST_MASKED, groups: FEWEST_IN_STUDY }

const known = new Map<string, ChaosStudy>()

/** What is read and made once for all seeds. */
function drafted(kind: StudyKind, sites: number): ChaosStudy {
  const cohort = generateCohort({ sites, rows: kind === 'resting' ? RESTING_ROWS : ROWS, seed: 1 })
  const draft: DraftProtocol = {
    title: 'Readmission within 30 days',
    purpose: 'Rehearses what can go wrong',
    lawfulBasis: 'opt-out',
    programme: 'chaos',
    cohort: { rule: 'all rows', ...(kind === 'resting' ? { differencing: 'rest' } : {}) },
    features: cohort.features,
    label: cohort.label,
    learner: LEARNERS[kind],
  }
  const protocol = protocolOf(draft, 'chaos')
  return { protocol, sites: cohort.sites.map(({ name, table }) => ({ name, rows: table })) }
}

/** Short ones: in blocks the least that the chain takes. */
function limitOf(phase: LimitedPhase, sites: number, slices: number): { readonly seconds: number; readonly blocks: number } {
  const blocks = leastLimit(phase, sites, slices)
  return { seconds: phase === 'contributing' ? CONTRIBUTING_S : Math.max(12, blocks), blocks }
}

const neural = (units: number, rounds: number): LearnerSpec => ({
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [
    { className: 'Dense', config: { units, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } },
  ],
  loss: 'binaryCrossentropy',
  rounds,
  localEpochs: 1,
  batchSize: 32,
  learningRate: 0.1,
  seed: 'chaos',
  normBound: 10,
  fractionBits: 20,
  standardise: 'pooled',
})

const FIT: LearnerSpec = { kind: 'logistic', algorithm: 'newton', l2: 0, siteIntercepts: false, standardise: 'pooled', tolerance: 1e-9, maxIterations: 25 }

const LEARNERS: Readonly<Record<StudyKind, LearnerSpec>> = {
  weights: neural(2, ROUNDS),
  fit: FIT,
  resting: FIT,
  averaged: { kind: 'logistic', algorithm: 'fedavg', rounds: ROUNDS, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' },
  // Half of the time of all seeds would go into these few.
  large: neural(LARGE_UNITS, 3),
}
