import { logSum } from './log-sums.ts'
import { lossAt } from './loss-at.ts'
import type { SampledGaussian } from './mechanism.ts'
import { smallestAt } from './smallest-at.ts'

/** Whether the patient is in the data (loss under Q) or not (loss under P, with the sign turned). */
export type Direction = 'removed' | 'added'

/** ln E[e^(θ·loss)] of a whole composition: what Chernoff bounds and the tilt are made of. */
export type Cumulant = (tilt: number) => number

/**
 * The cumulant by the trapezium rule over the noisy sum t: to plan by, not to promise by. The bounds that are promised are
 * taken on the grid itself, with what is planned here as their free parameters.
 */
export function plannedCumulant(mechanisms: readonly SampledGaussian[], direction: Direction): Cumulant {
  const parts = mechanisms.map((mechanism) => ({ steps: mechanism.steps, points: pointsOf(mechanism) }))
  const exponent = direction === 'removed' ? (tilt: number) => tilt + 1 : (tilt: number) => -tilt
  return (tilt) => parts.reduce((sum, { steps, points }) => sum + steps * logSum(points.map(({ loss, weight }) => weight + exponent(tilt) * loss)), 0)
}

function pointsOf({ samplingRate, noise }: SampledGaussian): { readonly loss: number; readonly weight: number }[] {
  const step = noise / 8
  const from = -12 * noise
  const count = Math.ceil((1 + 24 * noise) / step)
  return Array.from({ length: count + 1 }, (_, j) => {
    const t = from + j * step
    return { loss: lossAt(samplingRate, noise, t), weight: -(t * t) / (2 * noise * noise) - Math.log(8 * Math.sqrt(2 * Math.PI)) }
  })
}

/** max over y ≥ 0 of e^(−θy)·(1 − e^−y), in logarithms: how much of a tail's mass can count as delta. */
export const logTailWeight = (tilt: number): number => (tilt > 0 ? tilt * Math.log(tilt / (1 + tilt)) : 0) - Math.log1p(tilt)

export interface Window {
  /** θ under which the total loss lies about the epsilon that is looked for. */
  readonly tilt: number
  /** Chernoff's bound on that epsilon. */
  readonly epsilon: number
  readonly bottom: number
  readonly top: number
  /** Chernoff's parameters for the window's two ends. */
  readonly down: number
  readonly up: number
}

/** Mass of the tilted loss that may lie outside at each end. */
const OUTSIDE = Math.log(1e-7)

/** Where to look: the tilt that bounds epsilon best, and the interval in which nearly all of the tilted loss lies. */
export function windowFor(cumulant: Cumulant, delta: number): Window {
  const bound = (tilt: number): number => (cumulant(tilt) - Math.log(delta) + logTailWeight(tilt)) / tilt
  const tilt = smallestAt(bound, 1e-4, 1e6)
  const at = cumulant(tilt)
  const above = (up: number): number => (cumulant(tilt + up) - at - OUTSIDE) / up
  const below = (down: number): number => (cumulant(tilt - down) - at - OUTSIDE) / down
  const up = smallestAt(above, 1e-4, 1e6)
  const down = smallestAt(below, 1e-4, 1e6)
  return { tilt, epsilon: bound(tilt), top: above(up), bottom: -below(down), up, down }
}
