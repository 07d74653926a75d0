/** What shadow models that were trained like the one under attack think of one record: how sure each is of the record's own outcome, 0 to 1. */
export interface ShadowConfidences {
  /** Of models that were trained with the record; may be empty. */
  readonly with: readonly number[]
  readonly without: readonly number[]
}

/**
 * The likelihood-ratio attack: how much more probable the model's confidence is if the record was trained on than if it was not, both as normal
 * distributions of logit-scaled confidences over shadow models. Where no shadow model had the record: how far above the others' confidences it lies.
 * Variances are pooled over records, since each has few shadow models.
 * @param confidence of the model under attack, by record
 * @param shadows by record
 * @returns scores, the higher the more like a member
 * @see Carlini et al. 2022, arXiv:2112.03570, sections IV and VI
 */
export function likelihoodRatios(confidence: readonly number[], shadows: readonly ShadowConfidences[]): number[] {
  const scaled = shadows.map((record) => ({ with: record.with.map(logit), without: record.without.map(logit) }))
  const spreadWith = pooledSpread(scaled.map((record) => record.with))
  const spreadWithout = pooledSpread(scaled.map((record) => record.without))
  return confidence.map((sure, i) => {
    const { with: having, without } = scaled[i] as { readonly with: number[]; readonly without: number[] }
    const x = logit(sure)
    const against = logNormal(x, mean(without), spreadWithout)
    return having.length > 0 ? logNormal(x, mean(having), spreadWith) - against : (x - mean(without)) / spreadWithout
  })
}

/** Confidences crowd at 0 and 1; their logits are near to normal. */
const logit = (sure: number): number => {
  const inside = Math.min(1 - SMALLEST, Math.max(SMALLEST, sure))
  return Math.log(inside) - Math.log1p(-inside)
}

const SMALLEST = 1e-12
const LEAST_SPREAD = 1e-6

const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length)

/** Standard deviation within records. */
function pooledSpread(groups: readonly (readonly number[])[]): number {
  let [squares, freedom] = [0, 0]
  for (const values of groups) {
    const middle = mean(values)
    squares += values.reduce((sum, x) => sum + (x - middle) ** 2, 0)
    freedom += Math.max(0, values.length - 1)
  }
  return Math.max(LEAST_SPREAD, freedom > 0 ? Math.sqrt(squares / freedom) : 1)
}

/** But for a constant, which cancels. */
const logNormal = (x: number, middle: number, spread: number): number => -(((x - middle) / spread) ** 2) / 2 - Math.log(spread)
