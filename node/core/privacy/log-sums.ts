/** Sums of numbers that are known by their logarithms: privacy losses span hundreds of orders of magnitude. */

/** ln Σ e^x, the largest taken out first so that nothing overflows. */
export function logSum(terms: ArrayLike<number>): number {
  let high = Number.NEGATIVE_INFINITY
  for (let i = 0; i < terms.length; i++) if ((terms[i] as number) > high) high = terms[i] as number
  if (high === Number.NEGATIVE_INFINITY) return high
  let sum = 0
  for (let i = 0; i < terms.length; i++) sum += Math.exp((terms[i] as number) - high)
  return high + Math.log(sum)
}

/** ln(e^x − 1) for x ≥ 0. */
export const logExpm1 = (x: number): number => (x > 30 ? x + Math.log1p(-Math.exp(-x)) : Math.log(Math.expm1(x)))

/** ln(1 + e^x). */
export const log1pExp = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)))
