/** One thing to judge: what is seen of it, whether it is so, and a group that is never split between learning and judging. */
export interface Sample {
  readonly features: readonly number[]
  readonly positive: boolean
  readonly group: number
}

export const FOLDS = 5
const BINS = 12
const STEPS = 150
const RATE = 1
const L2 = 1e-3

/**
 * How well a classifier tells what is so from what is not, on groups that it has not learned from: area under the ROC curve, 0.5 is guessing.
 * Logistic regression over each feature's quantile bins, so that no feature needs to matter in a straight line.
 */
export function areaUnderCurve(samples: readonly Sample[]): number {
  const scored: { readonly score: number; readonly positive: boolean }[] = []
  for (let fold = 0; fold < FOLDS; fold++) {
    const [known, unknown] = [samples.filter(({ group }) => group % FOLDS !== fold), samples.filter(({ group }) => group % FOLDS === fold)]
    const score = learn(known)
    for (const sample of unknown) scored.push({ score: score(sample.features), positive: sample.positive })
  }
  return areaOf(scored)
}

/** @param scored higher is more likely so; ties count half */
export function areaOf(scored: readonly { readonly score: number; readonly positive: boolean }[]): number {
  const sorted = scored.toSorted((a, b) => a.score - b.score)
  let [ranks, at] = [0, 0]
  while (at < sorted.length) {
    let end = at
    while (end < sorted.length && sorted[end]?.score === sorted[at]?.score) end++
    for (let i = at; i < end; i++) if (sorted[i]?.positive) ranks += (at + end + 1) / 2
    at = end
  }
  const positives = scored.filter(({ positive }) => positive).length
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (scored.length - positives))
}

function learn(samples: readonly Sample[]): (features: readonly number[]) => number {
  const width = samples[0]?.features.length ?? 0
  const edges = Array.from({ length: width }, (_, f) => quantiles(samples.map(({ features }) => features[f] as number)))
  const place = (features: readonly number[]): number[] => features.map((x, f) => f * BINS + (edges[f] as number[]).filter((edge) => x > edge).length)
  const rows = samples.map(({ features, positive }) => ({ places: place(features), y: positive ? 1 : 0 }))
  const weights = new Float64Array(width * BINS)
  let intercept = 0
  const eta = (places: readonly number[]): number => places.reduce((sum, at) => sum + (weights[at] as number), intercept)
  for (let step = 0; step < STEPS; step++) {
    const gradient = new Float64Array(weights.length)
    let constant = 0
    for (const { places, y } of rows) {
      const residual = y - 1 / (1 + Math.exp(-eta(places)))
      constant += residual
      for (const at of places) gradient[at] = (gradient[at] as number) + residual
    }
    intercept += (RATE * constant) / rows.length
    for (let j = 0; j < weights.length; j++) weights[j] = (weights[j] as number) * (1 - RATE * L2) + (RATE * (gradient[j] as number)) / rows.length
  }
  return (features) => eta(place(features))
}

function quantiles(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b)
  return [...new Set(Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)] as number))]
}
