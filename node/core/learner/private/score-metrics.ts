import { NORMAL_95 } from '#core/evaluation/distributions.ts'
import type { ModelState } from '#core/model/model.ts'
import { AT, BIN_WIDTH, LOSS_LIMIT, SCORE_BINS } from './score-sums.ts'

/**
 * Metrics from noisy sums, each with a 95 % interval of rows and noise together; null, and never a number that means nothing, where a count that it is divided
 * by is not clear of its noise. `n` is a noisy count too, and may be below 0.
 *
 * Errors, d the deviation of the noise on each sum, by first-order derivatives:
 * - accuracy a = c / n, n = c + w: noise d²((1 − a)² + a²) / n².
 * - mean loss m = L·s / n: noise d²(L² + 2m²) / n²; of rows no more than m(L − m) / n, the most that a variable from 0 to L with mean m can vary.
 * - AUC = U / (P·N): by a bin of positives (F − A) / P, F the share of negatives below it, about half of its own counted, and so for negatives; the noise of both at once
 *   adds d⁴ Σ (D − A)² / (P·N)², D being 1, about 1/2, or 0 as a bin of positives is above, beside or below one of negatives. Rows as Hanley and McNeil (1982).
 *   How rows of one bin are ordered is not known: what is taken for it (`order`) counts as known to half of itself.
 * - rms error and R² from mean square m = s / n and T = Σv² − (Σv)² / n: noise d²(1 + m²) / n², and d²(1 + (s/T)²(1 + 4v̄² + v̄⁴)) / T².
 */
export function outcomeMetrics(at: (i: number) => number, deviation: number): ModelState {
  const noise = deviation * deviation
  const [right, wrong] = [at(AT.right), at(AT.wrong)]
  const n = right + wrong
  const count = { n, se: Math.sqrt(2) * deviation }
  if (!isClear(n, count.se)) return told(count, { accuracy: null, logLoss: null, aucHistogram: null })
  const accuracy = cut(right / n, 0, 1)
  // Two more of each: the interval of all right would be a point.
  const about = (cut(right, 0, n) + 2) / (n + 4)
  const ofAccuracy = (noise * ((1 - accuracy) * (1 - accuracy) + accuracy * accuracy)) / (n * n) + (about * (1 - about)) / (n + 4)
  const loss = cut((LOSS_LIMIT * at(AT.loss)) / n, 0, LOSS_LIMIT)
  const ofLoss = (noise * (LOSS_LIMIT * LOSS_LIMIT + 2 * loss * loss)) / (n * n) + (loss * (LOSS_LIMIT - loss)) / n
  return told(count, {
    accuracy: within(accuracy, ofAccuracy, 0, 1),
    logLoss: within(loss, ofLoss, 0, LOSS_LIMIT),
    aucHistogram: areaOf(
      (i) => at(AT.positives + i),
      (i) => at(AT.negatives + i),
      deviation,
    ),
  })
}

/** @param unit half the label's range */
export function numberMetrics(at: (i: number) => number, deviation: number, unit: number): ModelState {
  const noise = deviation * deviation
  const n = at(AT.rows)
  const count = { n, se: deviation }
  if (!isClear(n, deviation)) return told(count, { rmse: null, r2: null })
  const squares = at(AT.squares)
  const mean = cut(squares / n, 0, 1)
  const square = within(mean, (noise * (1 + mean * mean)) / (n * n) + (mean * (1 - mean)) / n, 0, 1)
  const [low, high] = square.ci95
  const rmse = { value: unit * Math.sqrt(mean), ci95: [unit * Math.sqrt(low), unit * Math.sqrt(high)] as const }
  const middle = cut(at(AT.label) / n, -1, 1)
  const spread = at(AT.labelSquares) - (at(AT.label) * at(AT.label)) / n
  const slope = 1 + 4 * middle * middle + middle * middle * middle * middle
  if (!isClear(spread, deviation * Math.sqrt(slope))) return told(count, { rmse, r2: null })
  const left = cut(squares, 0, n) / spread
  const ofNoise = (noise * (1 + left * left * slope)) / (spread * spread)
  return told(count, { rmse, r2: within(1 - left, ofNoise + (4 * cut(1 - left, 0, 1) * left * left) / n, Number.NEGATIVE_INFINITY, 1) })
}

/** Chance that a positive scores above a negative. */
function areaOf(positives: (i: number) => number, negatives: (i: number) => number, deviation: number): Told | null {
  const total = (of: (i: number) => number): number => BINS.reduce((sum, i) => sum + of(i), 0)
  const [p, n] = [total(positives), total(negatives)]
  const se = deviation * Math.sqrt(SCORE_BINS)
  if (!isClear(p, se) || !isClear(n, se)) return null
  const below = BINS.map((i) => BINS.reduce((sum, j) => sum + order(i, j) * negatives(j), 0) / n)
  const above = BINS.map((j) => BINS.reduce((sum, i) => sum + order(i, j) * positives(i), 0) / p)
  const area = cut(BINS.reduce((sum, i) => sum + positives(i) * (below[i] as number), 0) / p, 0, 1)
  const squares = (shares: readonly number[]): number => shares.reduce((sum, share) => sum + (share - area) * (share - area), 0)
  const both = BINS.reduce((sum, i) => sum + BINS.reduce((inner, j) => inner + (order(i, j) - area) * (order(i, j) - area), 0), 0)
  const noise = deviation * deviation
  const ties = (IN_TIES / 2) * cut(BINS.reduce((sum, i) => sum + positives(i) * negatives(i), 0) / (p * n), 0, 1)
  const ofNoise = noise * (squares(below) / (p * p) + squares(above) / (n * n) + (noise * both) / (p * p * n * n))
  return within(area, ofNoise + ofRows(area, p, n) + ties * ties, 0, 1)
}

/** Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747. */
function ofRows(area: number, p: number, n: number): number {
  const square = area * area
  const [ofPositives, ofNegatives] = [area / (2 - area) - square, (2 * square) / (1 + area) - square]
  return (area * (1 - area) + (p - 1) * ofPositives + (n - 1) * ofNegatives) / (p * n)
}

const BINS: readonly number[] = Array.from({ length: SCORE_BINS }, (_, i) => i)
/** Within a bin of width h of well calibrated log odds a positive is above a negative with chance 1/2 + h / 12, since their densities part by e^x. */
const IN_TIES = BIN_WIDTH / 12
const order = (i: number, j: number): number => (i > j ? 1 : i === j ? 0.5 + IN_TIES : 0)

interface Told {
  readonly value: number
  readonly ci95: readonly [number, number]
}

const within = (value: number, variance: number, low: number, high: number): Told => {
  const reach = NORMAL_95 * Math.sqrt(variance)
  return { value, ci95: [cut(value - reach, low, high), cut(value + reach, low, high)] }
}

const cut = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x)

/** A count this many deviations of its noise or more may be divided by: the first-order errors hold. */
const CLEAR = 4
const isClear = (count: number, se: number): boolean => count > CLEAR * se && count > 1

function told({ n, se }: { readonly n: number; readonly se: number }, metrics: Readonly<Record<string, Told | null>>): ModelState {
  const entries = Object.entries(metrics)
  return {
    n,
    ...Object.fromEntries(entries.map(([name, metric]) => [name, metric?.value ?? null])),
    ci95: {
      n: [n - NORMAL_95 * se, n + NORMAL_95 * se],
      ...Object.fromEntries(entries.map(([name, metric]) => [name, metric === null ? null : [...metric.ci95]])),
    },
  }
}
