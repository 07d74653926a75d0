/**
 * Logistic regression on rows that lie in one place: plain Newton in float64, written for this demo alone and sharing no code with the nodes.
 * What the network computes without pooling is held against it.
 */
export interface PooledFit {
  /** Per unit of each column, the intercept last. */
  readonly coef: readonly number[]
  readonly se: readonly number[]
  /** Two-sided, of Wald's z of the slopes (the intercept's depends on the scale and is left out). */
  readonly p: readonly number[]
  readonly iterations: number
}

const MOST_ITERATIONS = 50
const ENOUGH = 1e-13

/**
 * @param rows a row of numbers each
 * @param outcomes 0 or 1 each
 * @throws Error when a column is constant or the outcome is separated
 */
export function fitPooled(rows: readonly (readonly number[])[], outcomes: readonly number[]): PooledFit {
  const scale = scaleOf(rows)
  const design = rows.map((row) => [...row.map((x, j) => (x - at(scale.mean, j)) / at(scale.sd, j)), 1])
  let beta = new Array<number>(scale.mean.length + 1).fill(0)
  for (let iterations = 1; iterations <= MOST_ITERATIONS; iterations++) {
    const { score, information } = derivatives(design, outcomes, beta)
    const step = multiply(inverse(information), score)
    beta = beta.map((b, j) => b + at(step, j))
    if (Math.max(...step.map(Math.abs)) < ENOUGH) return onRawScale(beta, inverse(derivatives(design, outcomes, beta).information), scale, iterations)
  }
  throw new Error('the pooled fit does not converge')
}

interface Scale {
  readonly mean: readonly number[]
  readonly sd: readonly number[]
}

function scaleOf(rows: readonly (readonly number[])[]): Scale {
  const n = rows.length
  const columns = (rows[0] ?? []).map((_, j) => rows.map((row) => at(row, j)))
  const mean = columns.map((column) => column.reduce((a, b) => a + b, 0) / n)
  const sd = columns.map((column, j) => Math.sqrt(column.reduce((sum, x) => sum + (x - at(mean, j)) ** 2, 0) / n))
  return { mean, sd }
}

function derivatives(design: readonly (readonly number[])[], outcomes: readonly number[], beta: readonly number[]) {
  const size = beta.length
  const score = new Array<number>(size).fill(0)
  const information = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  design.forEach((x, i) => {
    const risk = 1 / (1 + Math.exp(-x.reduce((sum, value, j) => sum + value * at(beta, j), 0)))
    const rest = at(outcomes, i) - risk
    const weight = risk * (1 - risk)
    for (let j = 0; j < size; j++) {
      score[j] = at(score, j) + rest * at(x, j)
      const row = information[j] as number[]
      for (let k = 0; k < size; k++) row[k] = at(row, k) + weight * at(x, j) * at(x, k)
    }
  })
  return { score, information }
}

/** By Gauss and Jordan, the largest pivot first. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length
  const work = matrix.map((row, i) => [...row, ...Array.from({ length: size }, (_, j) => Number(i === j))])
  for (let column = 0; column < size; column++) {
    const best = work
      .slice(column)
      .reduce((found, row, i) => (Math.abs(at(row, column)) > Math.abs(at(work[found] as number[], column)) ? column + i : found), column)
    ;[work[column], work[best]] = [work[best] as number[], work[column] as number[]]
    const pivot = at(work[column] as number[], column)
    if (!(Math.abs(pivot) > 1e-12)) throw new Error('the pooled rows do not determine the coefficients')
    const lead = (work[column] as number[]).map((x) => x / pivot)
    work.forEach((row, i) => {
      work[i] = i === column ? lead : row.map((x, k) => x - at(row, column) * at(lead, k))
    })
  }
  return work.map((row) => row.slice(size))
}

function onRawScale(beta: readonly number[], covariance: readonly (readonly number[])[], { mean, sd }: Scale, iterations: number): PooledFit {
  const slopes = sd.map((s, j) => at(beta, j) / s)
  const intercept = at(beta, sd.length) - slopes.reduce((sum, slope, j) => sum + slope * at(mean, j), 0)
  const weights = [...mean.map((m, j) => -m / at(sd, j)), 1]
  const variance = weights.reduce((sum, a, j) => sum + weights.reduce((inner, b, k) => inner + a * b * at(covariance[j] as number[], k), 0), 0)
  const se = sd.map((s, j) => Math.sqrt(at(covariance[j] as number[], j)) / s)
  return { coef: [...slopes, intercept], se: [...se, Math.sqrt(variance)], p: slopes.map((slope, j) => twoSided(slope / at(se, j))), iterations }
}

/** P(|Z| ≥ |z|) = erfc(|z|/√2): the series of erf near 0, the continued fraction further out (Abramowitz and Stegun 7.1.5, 7.1.14). */
export function twoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  if (x < 2.5) {
    let [term, sum] = [x, x]
    for (let n = 1; n < 200; n++) {
      term *= (-x * x) / n
      sum += term / (2 * n + 1)
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = 0
  for (let n = 120; n > 0; n--) fraction = n / 2 / (x + fraction)
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}

const at = (list: readonly number[], i: number): number => list[i] as number
const multiply = (matrix: readonly (readonly number[])[], vector: readonly number[]): number[] =>
  matrix.map((row) => row.reduce((sum, x, k) => sum + x * at(vector, k), 0))
