import { regularisedBeta } from '../evaluation/distributions.ts'

/** What a share seen in a sample says of the share behind it. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * The exact interval of a proportion: it holds the truth with at least the confidence asked for, however few the trials are. For one side alone ask
 * for 1 − 2 (1 − confidence).
 * @param confidence of both sides together, between 0 and 1
 * @see Clopper and Pearson 1934, Biometrika 26
 */
export function clopperPearson(successes: number, trials: number, confidence: number): Interval {
  const tail = (1 - confidence) / 2
  return {
    low: successes === 0 ? 0 : betaQuantile(tail, successes, trials - successes + 1),
    high: successes === trials ? 1 : betaQuantile(1 - tail, successes + 1, trials - successes),
  }
}

/** x with I_x(a, b) = p, by bisection to the last bits. */
function betaQuantile(p: number, a: number, b: number): number {
  let [low, high] = [0, 1]
  for (let step = 0; step < 100 && high - low > 1e-15; step++) {
    const middle = (low + high) / 2
    if (regularisedBeta(middle, a, b) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
