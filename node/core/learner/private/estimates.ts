import { NORMAL_95 } from '#core/evaluation/distributions.ts'
import type { PrivateSetup } from './rows.ts'

/** A number with its uncertainty from rows and from noise together; null where the noise is too much to say. */
export interface PrivateEstimate {
  readonly value: number
  readonly se: number | null
  readonly ci95: readonly [number, number] | null
}

export const estimate = (value: number, variance: number | null): PrivateEstimate => {
  const se = variance === null || !(variance >= 0) ? null : Math.sqrt(variance)
  return { value, se, ci95: se === null ? null : [value - NORMAL_95 * se, value + NORMAL_95 * se] }
}

/** Coefficients of [1, u…] with their covariance, null where there is none. */
export interface PrivateFit {
  readonly coef: Float64Array
  /** Row-major. */
  readonly covariance: Float64Array | null
}

/**
 * Coefficients for features in their own units, one a feature and the intercept last.
 * @param unit of a response of 1: half the label's range for a linear model, else 1 @param origin of a response of 0
 */
export function rawEstimates({ middle, half }: PrivateSetup, { coef, covariance }: PrivateFit, unit = 1, origin = 0): readonly PrivateEstimate[] {
  const size = coef.length
  const variance = (map: readonly number[]): number | null =>
    covariance && map.reduce((sum, a, j) => sum + map.reduce((inner, b, k) => inner + a * b * (covariance[j * size + k] as number), 0), 0)
  const maps = half.map((h, j) => coefAt(size, (k) => (k === 1 + j ? unit / h : 0)))
  const intercept = coefAt(size, (k) => (k === 0 ? unit : (-unit * (middle[k - 1] as number)) / (half[k - 1] as number)))
  const combined = (map: readonly number[]): number => map.reduce((sum, a, j) => sum + a * (coef[j] as number), 0)
  return [...maps.map((map) => estimate(combined(map), variance(map))), estimate(origin + combined(intercept), variance(intercept))]
}

const coefAt = (size: number, of: (k: number) => number): number[] => Array.from({ length: size }, (_, k) => of(k))
