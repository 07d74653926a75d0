import type { DemoCohort, DemoRow } from './cohort.ts'
import type { ModelAnswer } from './model-answer.ts'
import { fitPooled, type PooledFit } from './pooled-fit.ts'
import type { Comparison } from './results.ts'

/** Equal to six digits. */
export const TOLERANCE = 1e-6

/** The same model on all hospitals' training rows in one place. Rows with an empty cell are left out, as the protocol does. */
export function pooledFit(cohort: DemoCohort, without: ReadonlySet<string> = new Set()): PooledFit {
  const rows = cohort.hospitals.flatMap((hospital) => hospital.rows).filter((row) => row.set === 'train' && !without.has(row.patient) && isWhole(row))
  return fitPooled(
    rows.map((row) => row.cells.map(Number)),
    rows.map((row) => Number(row.label)),
  )
}

const isWhole = ({ cells, label }: DemoRow): boolean => [...cells, label].every((cell) => cell !== '' && Number.isFinite(Number(cell)))

/** What the network computed beside the pooled fit, both per unit of each feature. */
export function compare({ columns, raw, p }: ModelAnswer, pooled: PooledFit): Comparison {
  const difference = {
    coef: farthest(raw.coef, pooled.coef),
    se: farthest(raw.se, pooled.se),
    p: farthest(p.slice(0, pooled.p.length), pooled.p),
  }
  return {
    columns,
    coef: raw.coef,
    se: raw.se,
    oddsRatio: raw.ratio,
    ci95: raw.ci95,
    p: p.slice(0, pooled.p.length),
    pooled: { coef: pooled.coef, se: pooled.se, p: pooled.p },
    difference,
  }
}

/** Largest difference; for numbers above 1, relative to them. Lists of different lengths are infinitely far apart. */
function farthest(found: readonly number[], expected: readonly number[]): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY
  return Math.max(0, ...expected.map((x, i) => Math.abs((found[i] as number) - x) / Math.max(1, Math.abs(x))))
}
