import { exp, log, sigmoid, softplus } from './elementary.ts'
import type { Setup } from './setup.ts'

/**
 * What the three regressions differ in. Responses are scaled so that bounds do not depend on the data: logistic y ∈ {0, 1},
 * linear v ∈ [-1, 1] over the label's range, Poisson y / high ∈ [0, 1].
 */
export interface Family {
  /** Largest |residual|, weight and |log-likelihood| of one row. */
  readonly bounds: { readonly residual: number; readonly weight: number; readonly logLik: number }
  readonly response: (y: number) => number
  /** Sets the fields of `row` for a linear predictor and a scaled response. */
  readonly evaluate: (eta: number, response: number, row: RowTerms) => void
}

/** Filled anew for each row: one object for all rows. */
export interface RowTerms {
  residual: number
  weight: number
  logLik: number
}

/**
 * A linear predictor that is exponentiated is limited: logistic to ±30 (probabilities to 1e-13), Poisson to [-32, ln(16 · high)],
 * which is a mean of 16 times the largest valid count. Only fits that have gone astray reach these; step halving brings them back.
 */
export const LOGIT_LIMIT = 30
const LOG_MEAN_FLOOR = -32
const MEAN_LIMIT = 16

export const limited = (eta: number, low: number, high: number): number => (eta > high ? high : eta < low ? low : eta)

export const logMeanLimit = (high: number): number => log(MEAN_LIMIT * high)

export function familyOf({ protocol, labelMiddle, labelHalf }: Setup): Family {
  switch (protocol.learner.kind) {
    case 'logistic':
      return LOGISTIC
    case 'poisson':
      return poisson(protocol.label.range[1])
    default:
      return linear(labelMiddle, labelHalf)
  }
}

const LOGISTIC: Family = {
  bounds: { residual: 1, weight: 0.25, logLik: 32 },
  response: (y) => y,
  evaluate(eta, y, row) {
    const x = limited(eta, -LOGIT_LIMIT, LOGIT_LIMIT)
    const p = sigmoid(x)
    row.residual = y - p
    row.weight = p * (1 - p)
    row.logLik = -softplus(y > 0.5 ? -x : x)
  },
}

const poisson = (high: number): Family => {
  const most = logMeanLimit(high)
  return {
    bounds: { residual: MEAN_LIMIT, weight: MEAN_LIMIT, logLik: 128 },
    response: (y) => y / high,
    evaluate(eta, y, row) {
      const x = limited(eta, LOG_MEAN_FLOOR, most)
      const mean = exp(x) / high
      row.residual = y - mean
      row.weight = mean
      row.logLik = y * x - mean
    },
  }
}

/** Least squares needs one round: the terms at zero say all. `logLik` carries the squared response. */
const linear = (middle: number, half: number): Family => ({
  bounds: { residual: 2, weight: 1, logLik: 4 },
  response: (y) => (y - middle) / half,
  evaluate(_eta, v, row) {
    row.residual = v
    row.weight = 1
    row.logLik = v * v
  },
})

/** Mean of the label, in its own unit, for a linear predictor in that unit. */
export function meanOf(kind: 'logistic' | 'linear' | 'poisson', high: number): (eta: number) => number {
  if (kind === 'logistic') return (eta) => sigmoid(limited(eta, -LOGIT_LIMIT, LOGIT_LIMIT))
  const most = kind === 'poisson' ? logMeanLimit(high) : 0
  return kind === 'poisson' ? (eta) => exp(limited(eta, LOG_MEAN_FLOOR, most)) : (eta) => eta
}
