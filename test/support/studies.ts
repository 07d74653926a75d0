import { protocolOf } from '#app/protocol/protocol-file.ts'
import type { DraftProtocol } from '#app/protocol/protocol-schema.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import { leastKeying, leastLimit } from '#core/protocol/least-limit.ts'
import type { LearnerSpec, LimitedPhase, NeuralSpec, RegressionSpec } from '#core/protocol/protocol.ts'

const PHASES: readonly LimitedPhase[] = ['keying', 'contributing', 'witnessing', 'publishing', 'attesting']

export const LOGISTIC: RegressionSpec = {
  kind: 'logistic',
  algorithm: 'newton',
  l2: 0,
  siteIntercepts: false,
  standardise: 'pooled',
  tolerance: 1e-9,
  maxIterations: 25,
}

/** A study over a generated cohort: what most tests play. */
export function generatedStudy(options: { sites: number; rows?: number; seed?: number; learner?: DraftProtocol['learner']; change?: Partial<DraftProtocol> }) {
  const cohort = generateCohort({ sites: options.sites, rows: options.rows ?? 120, seed: options.seed ?? 1 })
  const draft: DraftProtocol = {
    title: 'Readmission within 30 days',
    purpose: 'Tests',
    lawfulBasis: 'opt-out',
    programme: 'tests',
    cohort: { rule: 'all rows' },
    features: cohort.features,
    label: cohort.label,
    learner: options.learner ?? LOGISTIC,
    minSites: Math.min(3, options.sites),
    quorum: Math.min(3, options.sites),
    limits: Object.fromEntries(
      PHASES.map((phase) => {
        const isKeying = phase === 'keying' && (options.change?.mode ?? 'open') !== 'open'
        const least = isKeying ? leastKeying(options.sites) : leastLimit(phase, options.sites, options.change?.slices ?? 1)
        return [phase, { seconds: phase === 'contributing' ? 30 : Math.max(9, least), blocks: least }]
      }),
    ),
    ...options.change,
  }
  const protocol = protocolOf(draft, 'test')
  return { cohort, protocol, sites: cohort.sites.map(({ name, table }) => ({ name, rows: table })) }
}

/**
 * A study whose run goes on for as long as a test needs: 14 weights by averaging, limits of 7 seconds at four sites.
 * @param options.contributing seconds of that phase, where a test needs more
 */
export function longStudy(options: { sites: number; rounds?: number; rows?: number; contributing?: number; change?: Partial<DraftProtocol> }) {
  const { sites, rounds = 100_000, rows = 60, contributing, change } = options
  const limit = { seconds: sites + 3, blocks: sites + 3 }
  const limits = {
    ...Object.fromEntries(['keying', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, limit])),
    contributing: { ...limit, seconds: contributing ?? limit.seconds },
  }
  const learner: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
  return generatedStudy({ sites, rows, learner, change: { limits, ...change } })
}

/**
 * A study that Newton's method finishes in a handful of rounds.
 * @param options.limit of contributing: how long a test may keep a site away without ending the phase
 * @param options.later the limit of the other phases: no slow machine may pass it where a test counts the rounds that were void
 */
export function exactStudy(options: { sites: number; rows?: number; limit?: number; later?: number }) {
  const { sites, rows = 60, limit: patient = sites + 3, later = sites + 3 } = options
  const limits = Object.fromEntries(
    ['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => {
      const limit = phase === 'contributing' ? patient : later
      return [phase, { seconds: limit, blocks: limit }]
    }),
  )
  return generatedStudy({ sites, rows, change: { limits } })
}

/** 112,001 weights over the generated features, 448 kB in seven units: too large for messages. */
export const largeNetwork = (rounds: number): NeuralSpec => ({
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [
    { className: 'Dense', config: { units: 8_000, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } },
  ],
  loss: 'binaryCrossentropy',
  rounds,
  localEpochs: 1,
  batchSize: 32,
  learningRate: 0.1,
  seed: 'large',
  normBound: 10,
  fractionBits: 20,
  standardise: 'pooled',
})

/** A study of 112,001 weights, 448 kB: too large for every site to add up, so that it is cut into slices. */
export function slicedStudy(options: { sites: number; slices: number; rounds?: number }) {
  const { sites, slices, rounds = 100_000 } = options
  const limits = Object.fromEntries(
    PHASES.map((phase) => {
      const limit = Math.max(sites + 5, leastLimit(phase, sites, slices))
      return [phase, { seconds: limit, blocks: limit }]
    }),
  )
  return generatedStudy({ sites, rows: 40, learner: largeNetwork(rounds), change: { slices, limits } })
}

/** One unit: logistic regression, trained as a network is. */
export const smallestNetwork = (seed: string): NeuralSpec => ({
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [{ className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } }],
  loss: 'binaryCrossentropy',
  rounds: 3,
  localEpochs: 1,
  batchSize: 32,
  learningRate: 0.1,
  standardise: 'pooled',
  normBound: 10,
  fractionBits: 20,
  seed,
})
