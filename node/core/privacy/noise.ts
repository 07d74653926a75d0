import { RotaError } from '#base/errors.ts'
import type { Accountant } from './accountant.ts'
import { gaussianEpsilon } from './gaussian.ts'
import { checkDelta, checkEpsilon, checkSamplingRate, checkSteps, LEAST_NOISE, MOST_NOISE } from './mechanism.ts'
import { prvEpsilon } from './prv.ts'
import { rdpEpsilon } from './rdp-epsilon.ts'

/** What a study wants to promise, and how often it draws. */
export interface Target {
  readonly samplingRate: number
  readonly steps: number
  readonly epsilon: number
  readonly delta: number
}

/** Points of the ring while the noise is searched, and for the last look at what was found. */
const SEARCH_POINTS = 2 ** 14
const LAST_POINTS = 2 ** 17

/**
 * Least noise whose epsilon, as the accountant bounds it from above, is at most the one promised: never less, and at most 1e-4 of itself more
 * (1e-7 with RDP, 1e-12 where every patient is in every step).
 * @throws ROTA-2351 to ROTA-2353, ROTA-2355, ROTA-2357
 */
export function noiseFor(target: Target, accountant: Accountant): number {
  const { samplingRate, steps, epsilon, delta } = target
  checkEpsilon(epsilon)
  checkDelta(delta)
  checkSamplingRate(samplingRate)
  checkSteps(steps)
  const search = (epsilonOf: (noise: number) => number, from: number, precision: number): number => {
    const noise = leastNoise((at) => epsilonOf(at) <= epsilon, from, precision)
    if (noise === null) throw new RotaError('ROTA-2357', { most: MOST_NOISE, epsilon, delta, steps, samplingRate })
    return noise
  }
  if (accountant === 'prv' && samplingRate === 1) return search((noise) => gaussianEpsilon(noise / Math.sqrt(steps), delta), Math.sqrt(steps), 1e-12)
  const byRdp = search((noise) => rdpEpsilon([{ samplingRate, noise, steps }], delta).epsilon, 1, accountant === 'rdp' ? 1e-7 : 0.01)
  if (accountant === 'rdp') return byRdp
  const bound = (points?: number) => (noise: number) => prvEpsilon([{ samplingRate, noise, steps }], delta, points).upper
  let noise = search(bound(SEARCH_POINTS), byRdp, 1e-4)
  while (noise < byRdp && bound(LAST_POINTS)(noise) > epsilon) noise = Math.min(byRdp, noise * 1.0001)
  return noise
}

/**
 * Bisection on the logarithm of the noise: more noise never costs more epsilon. @param precision relative
 * @returns null when not even MOST_NOISE is enough
 */
export function leastNoise(isEnough: (noise: number) => boolean, from: number, precision: number): number | null {
  const within = (noise: number): number => Math.min(MOST_NOISE, Math.max(LEAST_NOISE, noise))
  let [low, high] = [within(from), within(from)]
  for (let factor = 1.3; !isEnough(high); factor *= factor) {
    if (high === MOST_NOISE) return null
    ;[low, high] = [high, within(high * factor)]
  }
  for (let factor = 1.3; low === high || isEnough(low); factor *= factor) {
    if (low === LEAST_NOISE) return isEnough(low) ? low : high
    ;[low, high] = [within(low / factor), low]
  }
  while (high / low - 1 > precision) {
    const middle = Math.sqrt(low * high)
    if (isEnough(middle)) high = middle
    else low = middle
  }
  return high
}
