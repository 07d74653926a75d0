import { RotaError } from '#base/errors.ts'

/**
 * Noise of `noise` × clip norm on a sum over patients of whom each was drawn with probability `samplingRate`, on its own in every
 * step (Poisson sampling), `steps` times. Neighbours: one patient more or less. Shuffled batches are no such mechanism.
 */
export interface SampledGaussian {
  /** Probability that a patient is in a step, (0, 1]. */
  readonly samplingRate: number
  /** Standard deviation of the noise in units of the clip norm. */
  readonly noise: number
  readonly steps: number
}

/** Least noise that is accounted: below it epsilon is in the thousands, which promises nobody anything. */
export const LEAST_NOISE = 0.01
export const MOST_NOISE = 1e6
/** More would need more digits than the sums have; nobody trains as long. */
const MOST_STEPS = 1e7
/** Below it the rounding of floating-point sums would have to be looked at more closely. */
const LEAST_DELTA = 1e-18
const MOST_EPSILON = 1e4
/** With fewer patients, noise that protects one of them leaves nothing of the result. */
export const LEAST_PATIENTS = 20

/** @throws ROTA-2353, ROTA-2354, ROTA-2355 */
export function checkMechanism({ samplingRate, noise, steps }: SampledGaussian): void {
  checkSamplingRate(samplingRate)
  if (!(noise >= LEAST_NOISE && noise <= MOST_NOISE)) throw new RotaError('ROTA-2354', { noise, least: LEAST_NOISE, most: MOST_NOISE })
  checkSteps(steps)
}

/** @throws ROTA-2353 */
export function checkSamplingRate(samplingRate: number): void {
  if (!(samplingRate > 0 && samplingRate <= 1)) throw new RotaError('ROTA-2353', { samplingRate })
}

/** @throws ROTA-2355 */
export function checkSteps(steps: number): void {
  if (!(Number.isInteger(steps) && steps >= 1 && steps <= MOST_STEPS)) throw new RotaError('ROTA-2355', { steps, most: MOST_STEPS })
}

/** @throws ROTA-2352 */
export function checkDelta(delta: number): void {
  if (!(delta >= LEAST_DELTA && delta < 1)) throw new RotaError('ROTA-2352', { delta, least: LEAST_DELTA })
}

/** @throws ROTA-2351 */
export function checkEpsilon(epsilon: number): void {
  if (!(epsilon > 0 && epsilon <= MOST_EPSILON)) throw new RotaError('ROTA-2351', { epsilon, most: MOST_EPSILON })
}
