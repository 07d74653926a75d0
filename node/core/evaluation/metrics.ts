import type { Predictor } from '../learner/predict.ts'
import type { Table } from '../model/table.ts'

/** Exact metrics of rows that lie at one place: at a site, or in `simulate`. `null` where a value is not defined, never NaN. */
export interface BinaryMetrics {
  readonly n: number
  readonly accuracy: number | null
  /** With ties counted half; null with one class only. */
  readonly auc: number | null
  readonly logLoss: number | null
}

/** Scores and outcomes (0 or 1) of the same rows. */
export function binaryMetrics(scores: ArrayLike<number>, outcomes: ArrayLike<number>): BinaryMetrics {
  const n = scores.length
  if (n === 0) return { n, accuracy: null, auc: null, logLoss: null }
  let correct = 0
  let loss = 0
  for (let i = 0; i < n; i++) {
    const score = scores[i] as number
    const positive = outcomes[i] === 1
    if (score >= 0.5 === positive) correct++
    // Limited as in the evaluation stage: a sure and wrong score costs 30, not infinity.
    loss -= Math.log(Math.min(1, Math.max(SURE, positive ? score : 1 - score)))
  }
  return { n, accuracy: correct / n, auc: auc(scores, outcomes), logLoss: loss / n }
}

const SURE = 1e-13

/** Chance that a positive scores above a negative (Mann-Whitney), ties half. */
export function auc(scores: ArrayLike<number>, outcomes: ArrayLike<number>): number | null {
  let wins = 0
  let positives = 0
  let below = 0
  for (const { positive, negative } of descending(scores, outcomes).reverse()) {
    wins += positive * (below + negative / 2)
    positives += positive
    below += negative
  }
  return positives > 0 && below > 0 ? wins / (positives * below) : null
}

/** Rows of equal score together, highest first. */
function descending(scores: ArrayLike<number>, outcomes: ArrayLike<number>): { score: number; positive: number; negative: number }[] {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number))
  const groups: { score: number; positive: number; negative: number }[] = []
  for (const i of order) {
    const score = scores[i] as number
    let group = groups.at(-1)
    if (!group || group.score !== score) {
      group = { score, positive: 0, negative: 0 }
      groups.push(group)
    }
    if (outcomes[i] === 1) group.positive++
    else group.negative++
  }
  return groups
}

export interface RocPoint {
  /** Scores at or above count as positive; null for the origin. */
  readonly threshold: number | null
  readonly falsePositiveRate: number
  readonly truePositiveRate: number
}

/** From (0, 0) to (1, 1); empty with one class only. */
export function rocPoints(scores: ArrayLike<number>, outcomes: ArrayLike<number>): RocPoint[] {
  const groups = descending(scores, outcomes)
  const positives = groups.reduce((sum, group) => sum + group.positive, 0)
  const negatives = groups.reduce((sum, group) => sum + group.negative, 0)
  if (positives === 0 || negatives === 0) return []
  const points: RocPoint[] = [{ threshold: null, falsePositiveRate: 0, truePositiveRate: 0 }]
  let hits = 0
  let alarms = 0
  for (const { score, positive, negative } of groups) {
    hits += positive
    alarms += negative
    points.push({ threshold: score, falsePositiveRate: alarms / negatives, truePositiveRate: hits / positives })
  }
  return points
}

export interface CalibrationBin {
  readonly low: number
  readonly high: number
  readonly n: number
  readonly meanScore: number | null
  readonly observed: number | null
}

/** Mean score against observed share of positives, in bins of equal width over [0, 1]. */
export function calibrationBins(scores: ArrayLike<number>, outcomes: ArrayLike<number>, bins = 10): CalibrationBin[] {
  const n = new Float64Array(bins)
  const total = new Float64Array(bins)
  const positive = new Float64Array(bins)
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number
    const bin = Math.max(0, Math.min(bins - 1, Math.floor(score * bins)))
    n[bin] = (n[bin] as number) + 1
    total[bin] = (total[bin] as number) + score
    positive[bin] = (positive[bin] as number) + (outcomes[i] as number)
  }
  return Array.from({ length: bins }, (_, bin) => {
    const count = n[bin] as number
    const mean = (sum: Float64Array): number | null => (count > 0 ? (sum[bin] as number) / count : null)
    return { low: bin / bins, high: (bin + 1) / bins, n: count, meanScore: mean(total), observed: mean(positive) }
  })
}

export interface NumberMetrics {
  readonly n: number
  readonly rmse: number | null
  readonly meanAbsoluteError: number | null
  /** 1 − squared error / spread around these rows' own mean. */
  readonly r2: number | null
}

export function numberMetrics(predictions: ArrayLike<number>, labels: ArrayLike<number>): NumberMetrics {
  const n = predictions.length
  if (n === 0) return { n, rmse: null, meanAbsoluteError: null, r2: null }
  const errors = Float64Array.from(predictions, (prediction, i) => (labels[i] as number) - prediction)
  const mean = Array.from(labels).reduce((sum, y) => sum + y, 0) / n
  const squares = errors.reduce((sum, e) => sum + e * e, 0)
  const spread = Array.from(labels).reduce((sum, y) => sum + (y - mean) * (y - mean), 0)
  return {
    n,
    rmse: Math.sqrt(squares / n),
    meanAbsoluteError: errors.reduce((sum, e) => sum + Math.abs(e), 0) / n,
    r2: spread > 0 ? 1 - squares / spread : null,
  }
}

/** A table's predictions, row by row. */
export function scoresOf(table: Table, predictor: Predictor): Float64Array {
  const p = table.columns.length
  return Float64Array.from({ length: table.rows }, (_, i) => predictor(table.values.subarray(i * p, (i + 1) * p)))
}
