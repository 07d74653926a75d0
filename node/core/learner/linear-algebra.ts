/** Small dense symmetric matrices, row-major, in a fixed order of operations: their results are digested. */

export interface Factor {
  readonly size: number
  /** Lower triangle L of A = L·Lᵀ, row-major. */
  readonly lower: Float64Array
  /** First column whose pivot is not above the tolerance: it follows from the columns before it; -1 if none. */
  readonly dependent: number
}

/** Cholesky; stops at the first pivot that is not above `tolerance`. */
export function factorise(a: Float64Array, size: number, tolerance: number): Factor {
  const lower = new Float64Array(size * size)
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let rest = a[i * size + j] as number
      for (let k = 0; k < j; k++) rest -= (lower[i * size + k] as number) * (lower[j * size + k] as number)
      if (i === j) {
        if (!(rest > tolerance)) return { size, lower, dependent: j }
        lower[j * size + j] = Math.sqrt(rest)
      } else lower[i * size + j] = rest / (lower[j * size + j] as number)
    }
  }
  return { size, lower, dependent: -1 }
}

/** x with A·x = b. */
export function solve({ size, lower }: Factor, b: ArrayLike<number>): Float64Array {
  return backward(lower, size, forward(lower, size, size, b))
}

/** A⁻¹, row-major. */
export function invert(factor: Factor): Float64Array {
  const { size } = factor
  const inverse = new Float64Array(size * size)
  const unit = new Float64Array(size)
  for (let j = 0; j < size; j++) {
    unit.fill(0)
    unit[j] = 1
    const column = solve(factor, unit)
    for (let i = 0; i < size; i++) inverse[i * size + j] = column[i] as number
  }
  return inverse
}

/** How the dependent column follows from those before it: coefficients by least squares. */
export function dependence({ size, lower, dependent }: Factor): Float64Array {
  const row = lower.subarray(dependent * size, dependent * size + dependent)
  return backward(lower, size, Float64Array.from(row))
}

function forward(lower: Float64Array, size: number, count: number, b: ArrayLike<number>): Float64Array {
  const y = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    let rest = b[i] as number
    for (let k = 0; k < i; k++) rest -= (lower[i * size + k] as number) * (y[k] as number)
    y[i] = rest / (lower[i * size + i] as number)
  }
  return y
}

/** Solves the leading block of Lᵀ·x = y. */
function backward(lower: Float64Array, size: number, y: Float64Array): Float64Array {
  const x = new Float64Array(y.length)
  for (let i = y.length - 1; i >= 0; i--) {
    let rest = y[i] as number
    for (let k = i + 1; k < y.length; k++) rest -= (lower[k * size + i] as number) * (x[k] as number)
    x[i] = rest / (lower[i * size + i] as number)
  }
  return x
}
