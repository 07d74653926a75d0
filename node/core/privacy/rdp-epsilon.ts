import { checkDelta, checkMechanism, type SampledGaussian } from './mechanism.ts'
import { rdpOf } from './rdp.ts'

/**
 * The orders that Google's dp-accounting looks at, so that numbers can be compared digit by digit, and one just below each of the
 * first whole orders, where the bound for fractional orders is nearly exact. Others would change epsilon in its third digit at most.
 */
export const ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => (11 + i) / 10),
  ...Array.from({ length: 10 }, (_, i) => i + 1.98),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  128,
  256,
  512,
  1024,
]

/**
 * The epsilon that RDP of one order gives at `delta`; may be negative, which means 0.
 * @see Canonne, Kamath, Steinke 2020, "The discrete Gaussian for differential privacy", arXiv:2004.00010, proposition 12
 */
export const epsilonAt = (order: number, rdp: number, delta: number): number => rdp + conversionOf(order, delta)

/** What the conversion adds to RDP: ln((α − 1)/α) − (ln δ + ln α)/(α − 1). */
export const conversionOf = (order: number, delta: number): number => Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1)

export interface RdpEpsilon {
  readonly epsilon: number
  /** The order that gave it. */
  readonly order: number
}

/**
 * Least epsilon over the orders; adds up for mechanisms of different noise. What the chain enforces is this, with fewer orders.
 * @throws ROTA-2352 to ROTA-2355
 */
export function rdpEpsilon(mechanisms: readonly SampledGaussian[], delta: number, orders: readonly number[] = ORDERS): RdpEpsilon {
  checkDelta(delta)
  mechanisms.forEach(checkMechanism)
  return epsilonOfCurve((order) => rdpOf(mechanisms, order), delta, orders)
}

/**
 * Of any curve of RDP by order. Fractional orders cost most of the time and are looked at only around the best whole one: (α − 1)·RDP(α) is convex,
 * so epsilon falls and then rises with the order. Whatever is left out, the answer is an upper bound.
 */
export function epsilonOfCurve(rdp: (order: number) => number, delta: number, orders: readonly number[] = ORDERS): RdpEpsilon {
  const least = (best: RdpEpsilon, order: number): RdpEpsilon => {
    const epsilon = atLeastNothing(order, rdp(order), delta)
    return epsilon < best.epsilon ? { epsilon, order } : best
  }
  const nothing: RdpEpsilon = { epsilon: Number.POSITIVE_INFINITY, order: Number.NaN }
  const whole = orders.filter(Number.isInteger).reduce(least, nothing)
  const between = orders.filter((order) => !Number.isInteger(order) && !(Math.abs(order - whole.order) >= 1))
  return between.reduce(least, whole)
}

/** Total variation ≤ √(1 − e^-KL) ≤ √(1 − e^-RDP) (Bretagnolle, Huber 1979): where that is below delta, epsilon is 0. */
const atLeastNothing = (order: number, rdp: number, delta: number): number =>
  delta * delta + Math.expm1(-rdp) >= 0 ? 0 : Math.max(0, epsilonAt(order, rdp, delta))
