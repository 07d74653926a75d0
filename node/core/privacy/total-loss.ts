import { type Cumulant, logTailWeight, type Window } from './loss-moments.ts'
import { ringPlace } from './tilted-grid.ts'

/** Share of delta that the lower bound gives away for its coupling. */
const COUPLING = 1e-3

/** The tilted loss of all steps on a ring of grid points. */
export interface TotalLoss {
  readonly ring: Float64Array
  readonly rounding: number
  readonly window: Window
  /** ln E[e^(θ·loss)] of all steps on the grid. */
  readonly cumulant: Cumulant
  readonly mesh: number
  readonly steps: number
}

/**
 * Upper bound: losses on the grid are spread outwards (see loss-grid.ts), so its delta is too large, never too small; added are `lost`, the
 * mass left out of single steps or lost to rounding in them, the mass beyond the window's top, and a bound on rounding. What wraps around the ring only adds.
 *
 * Lower bound, after Gopi, Lee, Wutschitz 2021, lemma 5.4: each grid loss lies within one mesh of the true one, and its mean given the true one at
 * most ν ≈ mesh²/8 above it, so by Hoeffding's inequality the sum of k exceeds the true sum by more than kν + mesh·√(k/2·ln(1/η)) with probability
 * η at most: δ(ε − that) ≥ δ of the grid at ε, less η.
 */
export function boundsOfTotal(loss: TotalLoss, delta: number, lost: number): { lower: number; upper: number } {
  const { window, cumulant, mesh, steps, ring } = loss
  const { tilt, up, down } = window
  const low = Math.floor((window.bottom + window.top) / 2 / mesh) - ring.length / 2
  const [bottom, top] = [low * mesh, (low + ring.length) * mesh]
  const at = cumulant(tilt)
  const above = Math.exp(cumulant(tilt + up) - at - up * top)
  const below = Math.exp(cumulant(tilt - down) - at + down * bottom)
  const epsilonFor = (target: number): number => (target > 0 ? tailEpsilon(loss, low, at, target) : Number.POSITIVE_INFINITY)
  const first = epsilonFor(delta)
  // What a unit of tilted mass above epsilon can count as delta: falls with epsilon, and is about ten times delta at the first answer.
  const unit = (epsilon: number): number => Math.exp(at - tilt * epsilon + logTailWeight(tilt))
  const rounded = Math.sqrt(ring.length) * loss.rounding
  const upper = epsilonFor(delta - lost - unit(first) * rounded - Math.exp(at - tilt * top) * above)
  const nearly = epsilonFor(delta * (1 + COUPLING) + 2 * unit(first) * (rounded + above + below))
  const ratio = mesh / -Math.expm1(-mesh)
  const apart = steps * (ratio - 1 - Math.log(ratio)) + mesh * Math.sqrt((steps / 2) * Math.log(1 / (COUPLING * delta)))
  const sure = nearly > bottom && unit(nearly) <= 2 * unit(first)
  return { lower: sure ? nearly - apart : Number.NEGATIVE_INFINITY, upper }
}

/**
 * The epsilon at which the ring's Σ (1 − e^(ε − s))·mass(s) over losses s > ε is `target`, untilted as it is summed from the top. Between grid
 * points it is A − e^ε·B, so the answer is exact for the grid. At least 0; at least the window's bottom.
 */
function tailEpsilon({ ring, window, mesh }: TotalLoss, low: number, cumulant: number, target: number): number {
  const { tilt, epsilon: near } = window
  let [a, b] = [0, 0]
  for (let j = low + ring.length - 1; j >= low; j--) {
    const loss = j * mesh
    // Sums so far hold the losses above this one.
    if (a - b * Math.exp(loss - near) > target) return Math.max(0, near + Math.log((a - target) / b))
    if (loss <= 0) return 0
    const mass = Math.max(0, ring[ringPlace(j, ring.length)] as number) * Math.exp(cumulant - tilt * loss)
    a += mass
    b += mass * Math.exp(near - loss)
  }
  return Math.max(0, low * mesh)
}
