import { type Factor, factorise, invert, solve } from '../linear-algebra.ts'

/**
 * A symmetric matrix that noise was added to, made safe to divide by. Noise of deviation s on the diagonal and s/√2 off it has spectral norm about
 * s·√(2·size); eigenvalues below that are noise, so the matrix is raised by a multiple of the identity until it has none. That is after the release: it costs
 * no privacy, and some bias.
 * @see Wang 2018, arXiv:1803.02596 (AdaSSP)
 */
export interface Settled {
  readonly factor: Factor
  /** What was added to the diagonal. */
  readonly raised: number
  /** Whether the smallest eigenvalue is far enough above the noise for first-order errors, which intervals are made of. */
  readonly isClear: boolean
}

/** So many times the noise's norm must the smallest eigenvalue be for an interval: errors of the second order are then below a tenth. */
const CLEAR = 4

/** @param deviation of the noise on the diagonal, > 0 or 0 */
export function settled(matrix: Float64Array, size: number, deviation: number): Settled {
  const reach = deviation * Math.sqrt(2 * size)
  const least = leastEigenvalue(matrix, size)
  const floor = Math.max(reach, 1e-9 * trace(matrix, size), Number.MIN_VALUE)
  const raised = Math.max(0, floor - least)
  // What rounding may take off the smallest eigenvalue.
  const factor = factorise(plus(matrix, size, raised + (raised > 0 ? 1e-6 * floor : 0)), size, 0)
  return { factor, raised, isClear: least >= CLEAR * reach }
}

/** Of a symmetric matrix, by halving: a matrix less t has a Cholesky factor where t is below all eigenvalues. To 1e-6 of the largest. */
export function leastEigenvalue(matrix: Float64Array, size: number): number {
  let bound = 0
  for (const x of matrix) bound += Math.abs(x)
  let [low, high] = [-bound, bound]
  while (high - low > 1e-6 * bound) {
    const middle = (low + high) / 2
    if (factorise(plus(matrix, size, -middle), size, 0).dependent < 0) low = middle
    else high = middle
  }
  return low
}

/** inverse · middle · inverse, row-major. */
export function sandwich(factor: Factor, middle: Float64Array): Float64Array {
  const { size } = factor
  const half = new Float64Array(size * size)
  for (let j = 0; j < size; j++) half.set(solve(factor, middle.subarray(j * size, (j + 1) * size)), j * size)
  return product(invert(factor), half, size)
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++)
      for (let j = 0; j < size; j++) out[i * size + j] = (out[i * size + j] as number) + (a[i * size + k] as number) * (b[k * size + j] as number)
  return out
}

export function plus(matrix: Float64Array, size: number, by: number): Float64Array {
  const out = matrix.slice()
  for (let j = 0; j < size; j++) out[j * size + j] = (out[j * size + j] as number) + by
  return out
}

function trace(matrix: Float64Array, size: number): number {
  let sum = 0
  for (let j = 0; j < size; j++) sum += matrix[j * size + j] as number
  return sum
}
