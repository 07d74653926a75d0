import { NORMAL_95, studentQuantile } from '../evaluation/distributions.ts'
import type { Model } from '../model/model.ts'
import type { Protocol } from '../protocol/protocol.ts'
import { hasOwnIntercepts } from './predict.ts'
import { nums } from './state.ts'

/** Coefficients with one entry a column, "(intercept)" last; null entries for private intercepts. */
export interface Coefficients {
  readonly coef: readonly (number | null)[]
  /** Null as a whole under a penalty and for FedAvg, where it has no meaning. */
  readonly se: readonly (number | null)[] | null
  readonly ci95: readonly ([number, number] | null)[] | null
  /** exp(coef): odds ratios (logistic), rate ratios (Poisson); null for linear models. */
  readonly ratio: readonly (number | null)[] | null
  readonly ratioCi95: readonly ([number, number] | null)[] | null
}

/** Coefficients and covariance with the intercept last, on both scales. */
export interface Fit {
  readonly scale: { readonly mean: readonly number[]; readonly std: readonly number[] }
  readonly standard: Estimate
  readonly raw: Estimate
}
export interface Estimate {
  readonly coef: readonly (number | null)[]
  /** Row-major over all columns; null where there is none. */
  readonly variances: readonly (number | null)[] | null
}

export function fitOf(model: Model, protocol: Protocol): Fit {
  const { state } = model
  const p = protocol.features.length
  const none = 'standardise' in protocol.learner && protocol.learner.standardise === 'none'
  const nothing: Estimate = { coef: new Array<null>(p + 1).fill(null), variances: null }
  const own = hasOwnIntercepts(protocol)
  if (!Array.isArray(state.coef) || !Array.isArray(state.mean)) return { scale: { mean: [], std: [] }, standard: nothing, raw: nothing }
  const mean = nums(state, 'mean')
  const std = nums(state, 'std')
  const coef = nums(state, 'coef')
  const slopes = own ? coef : coef.slice(1)
  const covariance = Array.isArray(state.covariance) && state.covariance.length > 0 ? square(nums(state, 'covariance'), coef.length) : null
  const rawSlopes = slopes.map((w, j) => w / (std[j] as number))
  const rawIntercept = own ? null : (coef[0] as number) - rawSlopes.reduce((sum, w, j) => sum + w * (mean[j] as number), 0)
  return {
    scale: none ? { mean: mean.map(() => 0), std: std.map(() => 1) } : { mean, std },
    standard: { coef: [...slopes, own ? null : (coef[0] as number)], variances: covariance && standardVariances(covariance, own) },
    raw: { coef: [...rawSlopes, rawIntercept], variances: covariance && rawVariances(covariance, own, mean, std) },
  }
}

const square = (upper: readonly number[], size: number): number[][] => {
  const full = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  let at = 0
  for (let j = 0; j < size; j++) {
    for (let k = j; k < size; k++) {
      const value = upper[at++] as number
      ;(full[j] as number[])[k] = value
      ;(full[k] as number[])[j] = value
    }
  }
  return full
}

const entry = (matrix: readonly (readonly number[])[], j: number, k: number): number => matrix[j]?.[k] as number

function standardVariances(covariance: number[][], own: boolean): (number | null)[] {
  const diagonal = covariance.map((_, j) => entry(covariance, j, j))
  return own ? [...diagonal, null] : [...diagonal.slice(1), diagonal[0] as number]
}

/** intercept_raw = intercept − Σ slope · mean / std */
function rawVariances(covariance: number[][], own: boolean, mean: readonly number[], std: readonly number[]): (number | null)[] {
  const first = own ? 0 : 1
  const slopes = std.map((s, j) => entry(covariance, j + first, j + first) / (s * s))
  if (own) return [...slopes, null]
  const map = [1, ...mean.map((m, j) => -m / (std[j] as number))]
  const intercept = map.reduce((sum, a, j) => sum + map.reduce((inner, b, k) => inner + a * b * entry(covariance, j, k), 0), 0)
  return [...slopes, intercept]
}

export function coefficients({ coef, variances }: Estimate, view: { exponent: boolean; df: number | null; variance: number | null }): Coefficients {
  const { variance } = view
  const se = variances && variance !== null ? variances.map((v) => (v === null ? null : Math.sqrt(v * variance))) : null
  const reach = view.df !== null && view.df > 0 ? studentQuantile(0.05, view.df) : NORMAL_95
  const ci95 = se?.map((s, j): [number, number] | null => (s === null ? null : [(coef[j] as number) - reach * s, (coef[j] as number) + reach * s])) ?? null
  const ratio = view.exponent ? coef.map((c) => (c === null ? null : finite(Math.exp(c)))) : null
  const ratioCi95 = view.exponent ? (ci95?.map((ci): [number, number] | null => (ci ? [Math.exp(ci[0]), finite(Math.exp(ci[1]))] : null)) ?? null) : null
  return { coef, se, ci95, ratio, ratioCi95 }
}

/** JSON knows no infinity. */
const finite = (x: number): number => Math.min(x, Number.MAX_VALUE)

/** Private intercepts on the raw scale from those on the standardised one. */
export function rawIntercept(model: Model, intercept: number): number {
  const std = nums(model.state, 'std')
  const mean = nums(model.state, 'mean')
  return nums(model.state, 'coef').reduce((sum, w, j) => sum - (w / (std[j] as number)) * (mean[j] as number), intercept)
}
