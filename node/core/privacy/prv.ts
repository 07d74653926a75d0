import { composeLosses } from './compose-losses.ts'
import { composedNoise, gaussianEpsilon } from './gaussian.ts'
import { checkDelta, checkMechanism, type SampledGaussian } from './mechanism.ts'
import { rdpEpsilon } from './rdp-epsilon.ts'

/** Between these the true epsilon lies; `upper` is what is promised. */
export interface EpsilonBounds {
  readonly lower: number
  readonly upper: number
}

/**
 * Epsilon by the privacy loss's own distribution (the accountant of privacy random variables, PRV): tight, where RDP is loose by a tenth or a third.
 * Exact where every patient is in every step; else both neighbours, with the patient and without, are composed and the worse one counts.
 * @see Gopi, Lee, Wutschitz 2021, "Numerical composition of differential privacy", arXiv:2106.02848
 * @throws ROTA-2352 to ROTA-2355
 */
export function prvEpsilon(mechanisms: readonly SampledGaussian[], delta: number, mostPoints?: number): EpsilonBounds {
  checkDelta(delta)
  mechanisms.forEach(checkMechanism)
  if (mechanisms.length === 0) return { lower: 0, upper: 0 }
  if (mechanisms.every(({ samplingRate }) => samplingRate === 1)) {
    const exact = gaussianEpsilon(composedNoise(mechanisms), delta)
    return { lower: exact, upper: exact }
  }
  const { lower, upper } = composeLosses(mechanisms, delta, mostPoints)
  // Both are upper bounds; RDP is the lower one only where epsilon is all but nothing.
  const { epsilon } = rdpEpsilon(mechanisms, delta)
  return { lower: Math.min(lower, epsilon), upper: Math.min(upper, epsilon) }
}
