import type { Table } from '#core/model/table.ts'
import { solve } from '../linear-algebra.ts'
import type { PrivateFit } from './estimates.ts'
import { addSquare, designRow, eachPatient, mapped, norm, type PrivateSetup, squareFrom, triangle } from './rows.ts'
import { sandwich, settled } from './solve.ts'
import { PrivateSum, type PrivateSumPolicy, type SumNoise } from './sums.ts'
import type { Patients } from './units.ts'

/**
 * Least squares from one release: the sum of w wᵀ over rows w = [1, u…, v], features and response over their ranges, with noise. It holds all that a linear
 * model needs, and the squared response.
 *
 * Sensitivity. A row is scaled to s·w with s = min(1, R/‖w‖). The vector that stands for (sw)(sw)ᵀ, see `addSquare`, has the matrix's Frobenius norm,
 * s²‖w‖² ≤ R². A patient with k rows, k ≤ rowsPerPatient, has k·R² at most; the sum is scaled to that. A scaled row is a row with weight s² in the fit: a
 * true linear relation stays as it is, but s depends on the response too, so R should be near what most rows have, √(p + 2) at most.
 * @see Dwork et al. 2014, "Analyze Gauss"; Wang 2018, arXiv:1803.02596
 */
export interface PrivateLinearPolicy extends PrivateSumPolicy {
  /** R. */
  readonly rowNorm: number
}

export const linearSensitivity = ({ rowNorm, rowsPerPatient }: PrivateLinearPolicy): number => rowNorm * rowNorm * rowsPerPatient

/** Rows first. */
export const linearLength = (features: number): number => triangle(features + 2)

/** A site's part, in steps of 2^-fractionBits. */
export function releaseLinear(setup: PrivateSetup, table: Table, patients: Patients, policy: PrivateLinearPolicy, noise: SumNoise): BigInt64Array {
  const p = setup.names.length
  const w = new Float64Array(p + 2)
  const sum = new PrivateSum(linearLength(p), setup.fractionBits, linearSensitivity(policy))
  const row = (i: number, into: Float64Array): void => {
    designRow(setup, table, i, w)
    w[p + 1] = mapped(table.label[i] as number, setup.labelMiddle, setup.labelHalf)
    const scale = Math.min(1, policy.rowNorm / norm(w))
    addSquare(w, scale * scale, into, 0)
  }
  eachPatient(patients, linearLength(p), row, (vector) => sum.addPatient(vector))
  return sum.release(policy, noise)
}

export interface PrivateLinear extends PrivateFit {
  /** Variance of the response around the fit, both over half the label's range; at least 0. */
  readonly residual: number
  /** Rows by their weights, noise included. */
  readonly rows: number
}

/**
 * Coefficients of [1, u…] for the response over its range.
 *
 * Their errors: with A = X'X + E and c = X'v + e, E symmetric noise of variance d² on and d²/2 off the diagonal, e of d²/2, the estimate b = A⁻¹c differs
 * from β by A⁻¹(X'ε + e − Eβ) to the first order. The noise part has covariance
 *   V = (d²/2) [ (1 + ‖β‖²) I + β βᵀ ],
 * since (Eβ)_j = E_jj β_j + Σ_{k≠j} E_jk β_k has variance d²β_j² + (d²/2)(‖β‖² − β_j²), and (Eβ)_j and (Eβ)_k share E_jk alone, (d²/2) β_j β_k. So
 *   cov(b) = A⁻¹(σ²A + V)A⁻¹. None where A is not clear of its noise.
 * @param total the sum over sites, decoded @param deviation of the noise in it: noise × sensitivity × √sites
 */
export function fitLinear(setup: PrivateSetup, total: (i: number) => number, deviation: number): PrivateLinear {
  const size = setup.names.length + 1
  const all = squareFrom(total, 0, size + 1)
  const at = (j: number, k: number): number => all[j * (size + 1) + k] as number
  const gram = Float64Array.from({ length: size * size }, (_, i) => at(Math.floor(i / size), i % size))
  const cross = Float64Array.from({ length: size }, (_, j) => at(j, size))
  const { factor, raised, isClear } = settled(gram, size, deviation)
  const coef = solve(factor, cross)
  const rows = at(0, 0)
  const residual = Math.max(0, residualSquares(coef, gram, cross, at(size, size)) / Math.max(1, rows - size))
  if (!isClear || raised > 0) return { coef, covariance: null, residual, rows }
  return { coef, covariance: sandwich(factor, errors(coef, gram, residual, deviation)), residual, rows }
}

function residualSquares(coef: Float64Array, gram: Float64Array, cross: Float64Array, responses: number): number {
  const size = coef.length
  let sum = responses
  for (let j = 0; j < size; j++) {
    sum -= 2 * (coef[j] as number) * (cross[j] as number)
    for (let k = 0; k < size; k++) sum += (coef[j] as number) * (coef[k] as number) * (gram[j * size + k] as number)
  }
  return sum
}

/** σ²A + V. */
function errors(coef: Float64Array, gram: Float64Array, residual: number, deviation: number): Float64Array {
  const size = coef.length
  const half = (deviation * deviation) / 2
  const length = norm(coef)
  const out = gram.map((x) => residual * x)
  for (let j = 0; j < size; j++) {
    out[j * size + j] = (out[j * size + j] as number) + half * (1 + length * length)
    for (let k = 0; k < size; k++) out[j * size + k] = (out[j * size + k] as number) + half * (coef[j] as number) * (coef[k] as number)
  }
  return out
}
