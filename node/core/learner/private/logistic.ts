import type { Table } from '#core/model/table.ts'
import { sigmoid } from '../elementary.ts'
import { LOGIT_LIMIT, limited } from '../family.ts'
import { solve } from '../linear-algebra.ts'
import type { PrivateFit } from './estimates.ts'
import { addSquare, designRow, eachPatient, norm, type PrivateSetup, squareFrom, triangle } from './rows.ts'
import { sandwich, settled } from './solve.ts'
import { PrivateSum, type PrivateSumPolicy, type SumNoise } from './sums.ts'
import type { Patients } from './units.ts'

/**
 * Logistic regression by noisy Newton steps: each step every site releases one vector, score and information at the coefficients, with Gaussian noise, and
 * all compute the next coefficients from the sum. Of the ways that there are, this one was taken because a few steps suffice (noise grows with the
 * root of their number), all noise but the last step's is forgotten as the steps converge, and the last information gives the intervals.
 *
 * Sensitivity. A row z = [1, u…], u in [-1, 1]^p, counts with weight s = min(1, R/‖z‖), so s‖z‖ ≤ R; weights that depend on z alone leave the estimate
 * consistent. With p̂ the row's probability and r = |y − p̂|, the variance p̂(1 − p̂) is r(1 − r), since y is 0 or 1. The row's vector is
 *   [ s (y − p̂) z,  ω s r(1 − r) z zᵀ ],   ω² = 8 / (p + 1),
 * with squared norm (s‖z‖)² r² [1 + ω²‖z‖²(1 − r)²] ≤ R² r² [1 + 8(1 − r)²], as ‖z‖² ≤ p + 1. The derivative of r² + 8r²(1 − r)² by r is
 * 2r [1 + 8(1 − r)(1 − 2r)], never negative (the product is −1/8 at least), so its maximum is 1 at r = 1: the norm is R at most, what the score alone has.
 * The information costs no noise. A patient with k rows, k ≤ rowsPerPatient, has k·R at most; the sum is scaled to that.
 * @see Avella-Medina, Bradshaw and Loh 2021, arXiv:2103.11003
 */
export interface PrivateLogisticPolicy extends PrivateSumPolicy {
  /** R, up to √(p + 1), where no row is weighed down. */
  readonly rowNorm: number
  /** Added to the diagonal of the information for slopes, in rows: draws coefficients to 0. */
  readonly penalty: number
}

const informationWeight = (features: number): number => Math.sqrt(8 / (features + 1))

export const logisticSensitivity = ({ rowNorm, rowsPerPatient }: PrivateLogisticPolicy): number => rowNorm * rowsPerPatient

export const logisticLength = (features: number): number => features + 1 + triangle(features + 1)

/** A site's part of a step at `coef`, in steps of 2^-fractionBits. */
export function releaseLogistic(
  setup: PrivateSetup,
  table: Table,
  patients: Patients,
  coef: Float64Array,
  policy: PrivateLogisticPolicy,
  noise: SumNoise,
): BigInt64Array {
  const size = setup.names.length + 1
  const z = new Float64Array(size)
  const sum = new PrivateSum(logisticLength(size - 1), setup.fractionBits, logisticSensitivity(policy))
  const weight = informationWeight(size - 1)
  const row = (i: number, into: Float64Array): void => {
    designRow(setup, table, i, z)
    const s = Math.min(1, policy.rowNorm / norm(z))
    const p = probability(coef, z)
    const residual = s * ((table.label[i] as number) - p)
    for (let j = 0; j < size; j++) into[j] = (into[j] as number) + residual * (z[j] as number)
    addSquare(z, weight * s * p * (1 - p), into, size)
  }
  eachPatient(patients, logisticLength(size - 1), row, (vector) => sum.addPatient(vector))
  return sum.release(policy, noise)
}

/**
 * The next coefficients, and their covariance as if this step were the last. Near the maximum b of the likelihood a step from β gives
 * β + A⁻¹(score(β) + e) ≈ b + A⁻¹e, whatever β was, so the covariance is A⁻¹(A + d²I)A⁻¹: rows and the last score's noise. Rows that are weighed down
 * count as if they were not, which makes it too large rather than too small. No covariance under a penalty or where A is not clear of its own noise.
 * @param total the sum over sites, decoded @param deviation of the noise in it: noise × sensitivity × √sites
 */
export function advanceLogistic(
  setup: PrivateSetup,
  coef: Float64Array,
  total: (i: number) => number,
  deviation: number,
  { penalty }: PrivateLogisticPolicy,
): PrivateFit {
  const size = setup.names.length + 1
  const weight = informationWeight(size - 1)
  const information = squareFrom((i) => total(i) / weight, size, size)
  const score = Float64Array.from({ length: size }, (_, j) => total(j) - (j === 0 ? 0 : penalty * (coef[j] as number)))
  const penalised = information.slice()
  for (let j = 1; j < size; j++) penalised[j * size + j] = (penalised[j * size + j] as number) + penalty
  const { factor, raised, isClear } = settled(penalised, size, deviation / weight)
  const step = solve(factor, score)
  const next = coef.map((c, j) => limited(c + (step[j] as number), -LOGIT_LIMIT, LOGIT_LIMIT))
  if (!isClear || raised > 0 || penalty > 0) return { coef: next, covariance: null }
  const noisy = information.slice()
  for (let j = 0; j < size; j++) noisy[j * size + j] = (noisy[j * size + j] as number) + deviation * deviation
  return { coef: next, covariance: sandwich(factor, noisy) }
}

/** Of label 1 for a row [1, u…]. */
export function probability(coef: Float64Array, z: Float64Array): number {
  let eta = 0
  for (let j = 0; j < coef.length; j++) eta += (coef[j] as number) * (z[j] as number)
  return sigmoid(limited(eta, -LOGIT_LIMIT, LOGIT_LIMIT))
}
