import { modeLabel, type PrivacyStatement } from '#app/results/privacy-statement.ts'
import { type Alone, type Metrics, privacyOf, type ResultsView, type TestMetrics } from '#app/results/results.ts'
import type { VariableSummary } from '#core/learner/results.ts'
import type { SimulatedRun } from './simulate-run.ts'

/** The object that `rota simulate --json` prints; null where a value is not defined. Keys stay, new ones may come. */
export interface SimulationAnswer {
  readonly learner: string
  readonly algorithm: string | null
  /** What members see: each other's updates, or the sum alone; the label says it in words. */
  readonly mode: string
  readonly modeLabel: string
  /** What the study promises each patient, or that it promises nothing. */
  readonly privacy: PrivacyStatement
  /** Closed rounds, all stages. */
  readonly rounds: number
  /** Rounds of the fit alone. */
  readonly iterations: number
  readonly converged: boolean
  /** Features, then "(intercept)"; for statistics features and label. */
  readonly columns: readonly string[]
  readonly mean: readonly (number | null)[]
  readonly std: readonly (number | null)[]
  readonly coef: readonly (number | null)[] | null
  readonly se: readonly (number | null)[] | null
  readonly p: readonly (number | null)[] | null
  readonly siteIntercepts: Readonly<Record<string, number | null>> | null
  readonly logLik: number | null
  readonly test: TestMetrics | null
  /** What the network would tell of all test rows under differential privacy; null where it tells none, or tells `test`. */
  readonly told: Metrics | null
  readonly alone: Readonly<Record<string, Alone>> | null
  readonly bytesPerSitePerRound: number
  /** From the run's opening to its end: without reading rows, building the network, and the sites' models alone. */
  readonly seconds: number
  readonly peakRssBytes: number
  /** The model root of each round. */
  readonly digests: readonly string[]
  readonly protocolDigest: string
  readonly sites: readonly string[]
  /** Sites with too few rows. */
  readonly leftOut: readonly string[]
  readonly deviance?: number | null
  readonly sigma2?: number | null
  readonly r2?: number | null
  readonly statistics?: readonly VariableSummary[]
  /** What generated rows were made with, per unit of each feature. */
  readonly truth?: NonNullable<ResultsView['truth']>
}

export function answerOf(view: ResultsView, run: SimulatedRun, peakRssBytes: number): SimulationAnswer {
  const { results, protocol } = view
  const { learner } = protocol
  return {
    learner: learner.kind,
    algorithm: 'algorithm' in learner ? learner.algorithm : null,
    mode: protocol.mode,
    modeLabel: modeLabel(protocol.mode),
    privacy: privacyOf(view),
    rounds: run.rounds.length,
    iterations: results.iterations,
    converged: results.converged && run.finished,
    ...fitOf(view),
    siteIntercepts: view.siteIntercepts,
    logLik: results.kind === 'regression' ? results.logLik : null,
    test: view.test,
    told: view.told,
    alone: view.alone,
    bytesPerSitePerRound: run.bytesPerSitePerRound,
    seconds: run.seconds,
    peakRssBytes,
    digests: run.rounds.map(({ modelRoot }) => modelRoot),
    protocolDigest: view.protocolDigest,
    sites: [...new Set(run.rounds.flatMap(({ included }) => included))],
    leftOut: view.leftOut,
    ...(results.kind === 'regression' ? { deviance: results.deviance, sigma2: results.sigma2, r2: results.r2 } : {}),
    ...(results.kind === 'statistics' ? { statistics: results.variables } : {}),
    ...(view.truth === null ? {} : { truth: view.truth }),
  }
}

function fitOf({ results, protocol }: ResultsView): Pick<SimulationAnswer, 'columns' | 'mean' | 'std' | 'coef' | 'se' | 'p'> {
  if (results.kind === 'regression') {
    const { columns, mean, std, coef, se, p } = results
    return { columns, mean, std, coef, se, p }
  }
  const nothing = { coef: null, se: null, p: null }
  if (results.kind === 'neural') return { columns: protocol.features.map(({ name }) => name), mean: [], std: [], ...nothing }
  const { variables } = results
  return { columns: variables.map(({ name }) => name), mean: variables.map(({ mean }) => mean), std: variables.map(({ sd }) => sd), ...nothing }
}
