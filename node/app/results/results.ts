import type { NamedParticipation } from '#app/audit/participation.ts'
import type { Digest } from '#base/ids.ts'
import { type CalibrationBin, calibrationBins, type RocPoint, rocPoints } from '#core/evaluation/metrics.ts'
import { type Results, results } from '#core/learner/results.ts'
import type { Model } from '#core/model/model.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { protocolDigest } from '#wire/protocol.ts'
import { sha256 } from '../sha256.ts'
import { type PrivacyStatement, privacyStatement } from './privacy-statement.ts'

/** What attacks found of a study, in words; absent where none was run. */
export interface Evidenced {
  readonly evidenced?: string
}

/** All that is shown of a finished run: the one source of tables, CSV and report. Parts that are not known are null or empty. */
export interface ResultsView extends Evidenced {
  readonly title: string
  /** A simulation shows what the network would compute, and proves nothing about anybody. */
  readonly origin: 'network' | 'simulation'
  readonly protocol: Protocol
  readonly protocolDigest: Digest
  readonly results: Results
  /** Where intercepts are private; null for a site whose has no finite value. */
  readonly siteIntercepts: Readonly<Record<string, number | null>> | null
  readonly test: TestMetrics | null
  /** What a study with differential privacy tells of all sites' test rows, with noise; null where it tells none. */
  readonly told: Metrics | null
  /** The model that each site fits with its own rows alone. */
  readonly alone: Readonly<Record<string, Alone>> | null
  readonly rounds: readonly RoundLine[]
  /** How the rounds were shared, and who was missing; null where no log was read. */
  readonly participation: NamedParticipation | null
  /** Of the pooled test rows, or of this site's own. */
  readonly curves: Curves | null
  /** What generated rows were made with, per unit of each feature. */
  readonly truth: { readonly columns: readonly string[]; readonly coef: readonly number[] } | null
  readonly leftOut: readonly string[]
}

/** Metrics of test rows: `auc`, `accuracy` and `logLoss` for a binary label, the others for a number. null: not defined. */
export interface Metrics {
  readonly n: number
  readonly accuracy: number | null
  readonly auc: number | null
  readonly logLoss: number | null
  readonly rmse?: number | null
  readonly r2?: number | null
  /** Of metrics with noise: 95 % intervals, of rows and noise together. `n` is a noisy count then, and may be below 0. */
  readonly ci95?: Readonly<Partial<Record<'n' | 'accuracy' | 'auc' | 'logLoss' | 'rmse' | 'r2', readonly [number, number] | null>>>
}

export interface TestMetrics {
  readonly pooled: Metrics
  readonly sites: Readonly<Record<string, Metrics>>
}

export interface Alone {
  /** On the test rows of all sites. */
  readonly pooled: Metrics
  /** On the site's own test rows. */
  readonly own: Metrics
  /** Why there is no such model. */
  readonly problem?: string
}

export interface RoundLine {
  readonly round: number
  readonly stage: string
  readonly leader: string
  readonly included: readonly string[]
  readonly missing: readonly string[]
  readonly seconds: number | null
  readonly baseRoot: Digest
  readonly modelRoot: Digest
}

export interface Curves {
  /** Whose test rows. */
  readonly rows: string
  readonly n: number
  readonly roc: readonly RocPoint[]
  readonly calibration: readonly CalibrationBin[]
}

const NOTHING_KNOWN = {
  origin: 'network',
  siteIntercepts: null,
  test: null,
  alone: null,
  rounds: [],
  participation: null,
  curves: null,
  truth: null,
  leftOut: [],
} as const

/**
 * A model and what is known around it, ready to be shown.
 * @param known what the caller has: rounds from the chain's log, metrics of rows that it may see
 */
export function viewOf(model: Model, protocol: Protocol, known: Partial<ResultsView> = {}): ResultsView {
  const shown = results(model, protocol)
  const pooled = pooledTest(shown)
  return {
    title: protocol.title,
    protocol,
    protocolDigest: protocolDigest(protocol, sha256),
    results: shown,
    ...NOTHING_KNOWN,
    test: pooled === null ? null : { pooled, sites: {} },
    told: shown.isPrivate ? pooled : null,
    ...known,
  }
}

/** What the study promised its patients, beside the rounds that are known. */
export const privacyOf = ({ protocol, origin, rounds, evidenced }: ResultsView): PrivacyStatement =>
  privacyStatement(protocol, origin, rounds.length === 0 ? null : rounds.length, evidenced)

/** What the evaluation stage says of all sites' test rows together; its AUC comes from a histogram, of 1,000 bins where there is no noise. */
function pooledTest({ test, isPrivate }: Results): Metrics | null {
  if (test === null || typeof test.n !== 'number' || (test.n === 0 && !isPrivate)) return null
  const value = (key: string): number | null => (typeof test[key] === 'number' ? (test[key] as number) : null)
  const binary = 'logLoss' in test
  const numbers = binary ? {} : { rmse: value('rmse'), r2: value('r2') }
  const ci95 = isPrivate ? { ci95: intervalsOf(test.ci95 as Readonly<Record<string, readonly [number, number] | null>>) } : {}
  return { n: test.n, accuracy: value('accuracy'), auc: value('aucHistogram'), logLoss: value('logLoss'), ...numbers, ...ci95 }
}

const intervalsOf = ({ aucHistogram, ...others }: Readonly<Record<string, readonly [number, number] | null>>): NonNullable<Metrics['ci95']> =>
  aucHistogram === undefined ? others : { ...others, auc: aucHistogram }

/** Calibration and ROC of scored rows. @param rows whose they are, in words */
export const curvesOf = (rows: string, scores: ArrayLike<number>, outcomes: ArrayLike<number>): Curves => ({
  rows,
  n: scores.length,
  roc: rocPoints(scores, outcomes),
  calibration: calibrationBins(scores, outcomes),
})
