import { checkDelta } from './mechanism.ts'
import { erfc, scaledErfc } from './scaled-erfc.ts'

/**
 * Delta of the Gaussian mechanism at `epsilon` exactly: Φ(1/2σ − εσ) − e^ε Φ(−1/2σ − εσ), noise σ in units of the sensitivity. Both
 * terms share the factor e^(−(εσ − 1/2σ)²/2), which is taken out, so that nothing cancels or underflows early.
 * @see Balle, Wang 2018, "Improving the Gaussian mechanism for differential privacy", arXiv:1805.06530, theorem 8
 */
export function gaussianDelta(noise: number, epsilon: number): number {
  const [near, far] = [epsilon * noise - 1 / (2 * noise), epsilon * noise + 1 / (2 * noise)].map((x) => x / Math.SQRT2) as [number, number]
  if (near < 0) return (erfc(near) - Math.exp(-near * near) * scaledErfc(far)) / 2
  return (Math.exp(-near * near) * (scaledErfc(near) - scaledErfc(far))) / 2
}

/** T uses of noise σ are one of noise σ/√T; so this is the whole answer where every patient is in every step. */
export const composedNoise = (noises: readonly { readonly noise: number; readonly steps: number }[]): number =>
  1 / Math.sqrt(noises.reduce((sum, { noise, steps }) => sum + steps / (noise * noise), 0))

/**
 * Least epsilon ≥ 0 at which the Gaussian mechanism has at most `delta`, to the last bits.
 * @throws ROTA-2352
 */
export function gaussianEpsilon(noise: number, delta: number): number {
  checkDelta(delta)
  if (gaussianDelta(noise, 0) <= delta) return 0
  let [low, high] = [0, 1]
  while (gaussianDelta(noise, high) > delta && high < 1e300) [low, high] = [high, 2 * high]
  while (high - low > 1e-15 * high) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) break
    if (gaussianDelta(noise, middle) > delta) low = middle
    else high = middle
  }
  return high
}
