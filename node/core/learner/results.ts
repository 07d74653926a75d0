import { normalTwoSided, studentTwoSided } from '../evaluation/distributions.ts'
import type { Model, ModelState } from '../model/model.ts'
import type { NeuralSpec, Protocol } from '../protocol/protocol.ts'
import { weightCount } from './dense.ts'
import { type Coefficients, coefficients, fitOf } from './estimates.ts'
import { type Problem, problemOf } from './problem.ts'
import { record } from './state.ts'

export type { Coefficients } from './estimates.ts'
export { rawIntercept } from './estimates.ts'

/** What a model says, for tables, JSON and reports. `null` where a value is not defined, never NaN. */
export type Results = RegressionResults | StatisticsResults | NeuralResults

interface Common {
  readonly learner: string
  readonly stage: string
  /** Rounds of the fit stage. */
  readonly iterations: number
  /** Reached its end without a problem. */
  readonly converged: boolean
  readonly problem: Problem | null
  /** Training rows pooled; with noise under differential privacy, and null where they are not told. */
  readonly rows: number | null
  /** Fitted with differential privacy: features on the scale of their ranges, uncertainty of rows and of noise together. */
  readonly isPrivate: boolean
  /** Metrics of the pooled test rows from the evaluation stage: its AUC is from a histogram of 1,000 bins; under differential privacy with noise, and `ci95`. */
  readonly test: ModelState | null
  /** Pooled training rows with their mean loss. */
  readonly train: ModelState | null
}

export interface RegressionResults extends Common, Coefficients {
  readonly kind: 'regression'
  readonly columns: readonly string[]
  /** Scale of the standardised coefficients: pooled mean and population standard deviation (of a private fit middle and half of the range); 0 and 1 where `standardise` is none. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
  /** 'z', or 't' for linear models. */
  readonly statistic: 'z' | 't'
  readonly z: readonly (number | null)[] | null
  readonly p: readonly (number | null)[] | null
  /** Per unit of each feature. */
  readonly raw: Coefficients
  readonly logLik: number | null
  readonly deviance: number | null
  /** Linear models: residual variance, degrees of freedom, share of variance explained. */
  readonly sigma2: number | null
  readonly df: number | null
  readonly r2: number | null
}

export interface NeuralResults extends Common {
  readonly kind: 'neural'
  readonly weights: number
}

export interface StatisticsResults extends Common {
  readonly kind: 'statistics'
  readonly quantiles: readonly number[]
  readonly variables: readonly VariableSummary[]
}

/** One feature or the label in its unit; cells of fewer than ten rows are null. */
export interface VariableSummary {
  readonly name: string
  readonly unit: string
  readonly low: number
  readonly high: number
  readonly present: number | null
  readonly missing: number | null
  readonly mean: number | null
  /** With n − 1. */
  readonly variance: number | null
  readonly sd: number | null
  /** Outer edges of the outermost histogram bins with at least ten rows. */
  readonly min: number | null
  readonly max: number | null
  readonly quantiles: readonly (number | null)[]
  /** Bins of equal width from low to high. */
  readonly histogram: readonly (number | null)[]
  /** Of private statistics: 95 % intervals, of rows and noise together. Counts are noisy then, may be below 0, and none is withheld. */
  readonly ci95?: Readonly<Record<'present' | 'mean' | 'variance', readonly [number, number] | null>>
}

export function results(model: Model, protocol: Protocol): Results {
  const spec = protocol.learner
  if (spec.kind === 'statistics') return statisticsResults(model, protocol)
  if (spec.kind === 'neural') return { ...common(model, protocol), kind: 'neural', weights: weightCount((spec as NeuralSpec).layers, protocol.features.length) }
  return regressionResults(model, protocol)
}

function common(model: Model, { privacy }: Protocol): Common {
  const { state } = model
  const problem = problemOf(model)
  const finished = model.stage === 'evaluation' || model.stage === 'done'
  return {
    learner: model.learner,
    stage: model.stage,
    iterations: typeof state.iteration === 'number' ? state.iteration : 0,
    converged: finished && !problem,
    problem,
    rows: typeof state.rows === 'number' ? state.rows : null,
    isPrivate: privacy !== undefined,
    test: record(state, 'test'),
    train: record(state, 'train'),
  }
}

const optional = (state: ModelState, key: string): number | null => (typeof state[key] === 'number' ? (state[key] as number) : null)

function regressionResults(model: Model, protocol: Protocol): RegressionResults {
  const { state } = model
  const shared = common(model, protocol)
  const fit = fitOf(model, protocol)
  const { kind } = protocol.learner
  const df = optional(state, 'df')
  const deviance = optional(state, 'deviance')
  const { isPrivate } = shared
  const sigma2 = kind === 'linear' && deviance !== null && df !== null && df > 0 ? deviance / df : isPrivate ? optional(state, 'sigma2') : null
  // A private fit's covariance has the rows' variance in it, beside the noise's.
  const view = { exponent: kind !== 'linear', df: kind === 'linear' ? df : null, variance: kind === 'linear' && !isPrivate ? sigma2 : 1 }
  const standard = coefficients(fit.standard, view)
  const raw = coefficients(fit.raw, view)
  const z = standard.se?.map((se, j) => (se ? (standard.coef[j] as number) / se : null)) ?? null
  const first = protocol.learner.kind !== 'statistics' && protocol.learner.kind !== 'neural' && protocol.learner.standardise === 'none' ? raw : standard
  const byStudent = kind === 'linear' && !isPrivate
  const tail = (value: number): number => (byStudent ? studentTwoSided(value, df as number) : normalTwoSided(value))
  const shown = first.se?.map((se, j) => (se ? (first.coef[j] as number) / se : null)) ?? z
  return {
    ...shared,
    kind: 'regression',
    columns: [...protocol.features.map(({ name }) => name), '(intercept)'],
    ...fit.scale,
    ...first,
    statistic: byStudent ? 't' : 'z',
    z: shown,
    p: shown?.map((value) => (value === null ? null : tail(value))) ?? null,
    raw,
    logLik: logLikOf(kind, shared, optional(state, 'logLik'), deviance),
    deviance: deviance ?? fedavgDeviance(kind, shared),
    sigma2,
    df,
    r2: kind === 'linear' && deviance !== null && shared.rows ? determination(state, deviance, shared.rows) : null,
  }
}

/** Newton keeps the log-likelihood; FedAvg's comes from the evaluation stage; a linear model's follows from its residuals. */
function logLikOf(kind: string, { rows, train }: Common, kept: number | null, deviance: number | null): number | null {
  if (kept !== null) return kept
  if (kind === 'linear') return deviance !== null && deviance > 0 && rows ? (-rows / 2) * (Math.log((2 * Math.PI * deviance) / rows) + 1) : null
  return train && typeof train.loss === 'number' ? -train.loss * (train.n as number) : null
}

const fedavgDeviance = (kind: string, { train }: Common): number | null =>
  kind === 'logistic' && train && typeof train.loss === 'number' ? 2 * train.loss * (train.n as number) : null

function determination(state: ModelState, deviance: number, rows: number): number | null {
  const std = optional(state, 'labelStd')
  return std ? 1 - deviance / (std * std * rows) : null
}

function statisticsResults(model: Model, protocol: Protocol): StatisticsResults {
  const variables = (Array.isArray(model.state.variables) ? model.state.variables : []) as readonly ModelState[]
  const specs = [...protocol.features, protocol.label]
  return {
    ...common(model, protocol),
    kind: 'statistics',
    quantiles: [0.05, 0.25, 0.5, 0.75, 0.95],
    variables: variables.map((variable, j) => {
      const known = variable as unknown as Omit<VariableSummary, 'unit' | 'sd'>
      return { ...known, unit: specs[j]?.unit ?? '1', sd: known.variance === null ? null : Math.sqrt(known.variance) }
    }),
  }
}
