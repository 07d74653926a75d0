import { exp, log } from './elementary.ts'
import { type Family, LOGIT_LIMIT, type RowTerms } from './family.ts'

/**
 * The site's own intercept for given offsets: the value that makes its residuals add up to zero. It never leaves the site.
 * @param offsets Σ slope · z of each row @param responses scaled as in `Family`
 * @returns null when it has no finite value: one class only (logistic), no events (Poisson), or no rows
 */
export function siteIntercept(kind: 'logistic' | 'linear' | 'poisson', family: Family, offsets: Float64Array, responses: Float64Array): number | null {
  const n = offsets.length
  let total = 0
  for (let i = 0; i < n; i++) total += responses[i] as number
  if (n === 0) return null
  if (kind === 'linear') {
    let sum = 0
    for (let i = 0; i < n; i++) sum += (responses[i] as number) - (offsets[i] as number)
    return sum / n
  }
  if (total === 0 || (kind === 'logistic' && total === n)) return null
  return kind === 'poisson' ? poissonIntercept(family, offsets, total) : logisticIntercept(family, offsets, responses)
}

/** Σ y = e^a Σ e^offset has a closed form; `total` is in parts of the largest count, as is e^a·e^offset after `evaluate`. */
function poissonIntercept(family: Family, offsets: Float64Array, total: number): number {
  const row: RowTerms = { residual: 0, weight: 0, logLik: 0 }
  family.evaluate(0, 0, row)
  let means = 0
  for (const offset of offsets) means += exp(offset)
  return log(total / (row.weight * means))
}

/** Newton within a bracket: the sum of residuals falls with the intercept. */
function logisticIntercept(family: Family, offsets: Float64Array, responses: Float64Array): number {
  const row: RowTerms = { residual: 0, weight: 0, logLik: 0 }
  let low = -LOGIT_LIMIT
  let high = LOGIT_LIMIT
  let a = 0
  for (let step = 0; step < 100; step++) {
    let score = 0
    let weight = 0
    for (let i = 0; i < offsets.length; i++) {
      family.evaluate(a + (offsets[i] as number), responses[i] as number, row)
      score += row.residual
      weight += row.weight
    }
    if (score > 0) low = a
    else high = a
    const newton = weight > 0 ? a + score / weight : Number.NaN
    const next = newton > low && newton < high ? newton : (low + high) / 2
    const moved = next > a ? next - a : a - next
    a = next
    if (moved < 1e-12) break
  }
  return a
}
