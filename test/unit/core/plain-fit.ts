import type { Table } from '#core/model/table.ts'

/**
 * Textbook fits of pooled rows, to compare the learners with: plain float64 on standardised columns, engine's Math, Gauss-Jordan.
 * Shares no code with core/. Columns of `extra` (site indicators) are added as they are, after the features.
 */
export interface PlainFit {
  /** Features, then `extra`, then the intercept unless `extra` holds one indicator a site. */
  readonly coef: number[]
  readonly se: number[]
  readonly logLik: number
}

export function plainFit(kind: 'logistic' | 'linear' | 'poisson', table: Table, l2 = 0, extra: readonly (readonly number[])[] = []): PlainFit {
  const { mean, std } = scale(table)
  const p = mean.length
  const rows = Array.from({ length: table.rows }, (_, i) => [
    ...mean.map((m, j) => ((table.values[i * p + j] as number) - m) / (std[j] as number)),
    ...extra.map((column) => column[i] as number),
    ...(extra.length > 0 ? [] : [1]),
  ])
  const y = Array.from(table.label)
  const size = (rows[0] as number[]).length
  const start = new Array<number>(size).fill(0)
  if (kind === 'poisson' && extra.length === 0) start[size - 1] = Math.log(y.reduce((a, b) => a + b, 0) / y.length)
  return iterate(kind, rows, y, start, p, l2)
}

function iterate(kind: string, rows: number[][], y: number[], start: number[], p: number, l2: number): PlainFit {
  const size = start.length
  let coef = start
  let inverse: number[][] = []
  let logLik = 0
  for (let step = 0; step < 60; step++) {
    const gradient = coef.map((w, j) => (j < p ? -rows.length * l2 * w : 0))
    const hessian = coef.map((_, j) => coef.map((__, k) => (j === k && j < p ? rows.length * l2 : 0)))
    logLik = 0
    rows.forEach((x, i) => {
      const eta = x.reduce((sum, v, j) => sum + v * (coef[j] as number), 0)
      const { mean, weight, ll } = terms(kind, eta, y[i] as number)
      logLik += ll
      for (let j = 0; j < size; j++) {
        gradient[j] = (gradient[j] as number) + (x[j] as number) * ((y[i] as number) - mean)
        for (let k = 0; k < size; k++) (hessian[j] as number[])[k] = ((hessian[j] as number[])[k] as number) + weight * (x[j] as number) * (x[k] as number)
      }
    })
    inverse = invert(hessian)
    coef = coef.map((w, j) => w + gradient.reduce((sum, g, k) => sum + ((inverse[j] as number[])[k] as number) * g, 0))
  }
  const residual = rows.reduce((sum, x, i) => sum + ((y[i] as number) - x.reduce((s, v, j) => s + v * (coef[j] as number), 0)) ** 2, 0)
  const sigma2 = kind === 'linear' ? residual / (rows.length - size) : 1
  return { coef, se: inverse.map((row, j) => Math.sqrt((row[j] as number) * sigma2)), logLik }
}

function terms(kind: string, eta: number, y: number): { mean: number; weight: number; ll: number } {
  if (kind === 'linear') return { mean: eta, weight: 1, ll: 0 }
  if (kind === 'poisson') return { mean: Math.exp(eta), weight: Math.exp(eta), ll: y * eta - Math.exp(eta) }
  const p = 1 / (1 + Math.exp(-eta))
  return { mean: p, weight: p * (1 - p), ll: y * eta - Math.log1p(Math.exp(eta)) }
}

export function scale(table: Table): { mean: number[]; std: number[] } {
  const p = table.columns.length
  const column = (j: number): number[] => Array.from({ length: table.rows }, (_, i) => table.values[i * p + j] as number)
  const mean = table.columns.map((_, j) => column(j).reduce((a, b) => a + b, 0) / table.rows)
  const std = table.columns.map((_, j) => Math.sqrt(column(j).reduce((sum, x) => sum + (x - (mean[j] as number)) ** 2, 0) / table.rows))
  return { mean, std }
}

function invert(matrix: number[][]): number[][] {
  const n = matrix.length
  const work = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))])
  for (let c = 0; c < n; c++) {
    let pivot = c
    for (let r = c; r < n; r++) if (Math.abs(work[r]?.[c] as number) > Math.abs(work[pivot]?.[c] as number)) pivot = r
    ;[work[c], work[pivot]] = [work[pivot] as number[], work[c] as number[]]
    const head = (work[c] as number[])[c] as number
    work[c] = (work[c] as number[]).map((v) => v / head)
    for (let r = 0; r < n; r++) {
      if (r === c) continue
      const factor = work[r]?.[c] as number
      work[r] = (work[r] as number[]).map((v, k) => v - factor * ((work[c] as number[])[k] as number))
    }
  }
  return work.map((row) => row.slice(n))
}
