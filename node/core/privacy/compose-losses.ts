import { lossAt } from './loss-at.ts'
import { type LossGrid, lossGrid } from './loss-grid.ts'
import { type Cumulant, type Direction, plannedCumulant, type Window, windowFor } from './loss-moments.ts'
import type { SampledGaussian } from './mechanism.ts'
import { powerOfRings } from './ring-power.ts'
import { gridCumulant, tiltedRing } from './tilted-grid.ts'
import { boundsOfTotal } from './total-loss.ts'

/** Share of delta that the ends of one step's loss may hold: epsilon shows nothing of it. */
const SHARE = 1e-7
/** Relative error of a mass on the grid, from rounding and quadrature: 1e-12 where measured. Counted for every step. */
const MASS_ERROR = 2e-11
const MOST_POINTS = 2 ** 19
const DIRECTIONS = ['removed', 'added'] as const

interface Plan {
  /** Where the total loss is looked at, for either neighbour. */
  readonly windows: readonly [Window, Window]
  /** Standard deviations of one step's noisy sum that are kept. */
  readonly reach: number
  readonly mesh: number
  readonly points: number
}

interface Part {
  readonly steps: number
  readonly grid: LossGrid
}

/**
 * Composes the losses of all steps by Fourier transforms, for both neighbours at once, and reads bounds on epsilon off (total-loss.ts).
 * Sums are taken under e^(θ·loss), normalised: the tilt puts the tail that makes delta into the middle, so that rounding, which is
 * relative to the largest mass, is relative to delta. Without it a delta below 1e-10 would be noise.
 * @param mostPoints of the ring: a quarter of them takes a quarter of the time, and the lower bound is four times as far away
 */
export function composeLosses(mechanisms: readonly SampledGaussian[], delta: number, mostPoints = MOST_POINTS): { lower: number; upper: number } {
  const steps = mechanisms.reduce((sum, { steps: some }) => sum + some, 0)
  const plan = planFor(mechanisms, steps, delta, mostPoints)
  if (plan.windows.every(({ epsilon }) => epsilon <= 0)) return { lower: 0, upper: 0 }
  const parts = mechanisms.map(({ samplingRate, noise, steps: some }) => ({ steps: some, grid: lossGrid(samplingRate, noise, plan.mesh, plan.reach) }))
  const { rings, rounding } = powerOfRings(
    parts.map(({ steps: some, grid }) => ({ steps: some, rings: ringsOf(grid, plan) })),
    plan.points,
  )
  const lost = steps * (Math.exp((-plan.reach * plan.reach) / 2) + MASS_ERROR * delta)
  const boundsOf = (i: 0 | 1): { lower: number; upper: number } => {
    const loss = { ring: rings[i], rounding, window: plan.windows[i], cumulant: cumulantOf(parts, DIRECTIONS[i]), mesh: plan.mesh, steps }
    return boundsOfTotal(loss, delta, lost)
  }
  const [removed, added] = [boundsOf(0), boundsOf(1)]
  return { lower: Math.max(0, removed.lower, added.lower), upper: Math.max(0, removed.upper, added.upper) }
}

function planFor(mechanisms: readonly SampledGaussian[], steps: number, delta: number, mostPoints: number): Plan {
  const windowOf = (direction: Direction): Window => windowFor(plannedCumulant(mechanisms, direction), delta)
  const windows = [windowOf(DIRECTIONS[0]), windowOf(DIRECTIONS[1])] as const
  const reach = Math.sqrt(2 * Math.log(steps / (SHARE * delta)))
  const width = 1.02 * Math.max(...windows.map(({ top, bottom }) => top - bottom))
  const wanted = Math.min(mostPoints, Math.max(2 ** 17, 8000 * Math.sqrt(steps)))
  // One step's loss may reach far beyond the window, by a patient who is rarely drawn: its grid is bounded too.
  const mesh = Math.max(width / powerOfTwoFrom(wanted), ...mechanisms.map((mechanism) => widestLoss(mechanism, reach) / mostPoints))
  return { windows, reach, mesh, points: Math.max(64, powerOfTwoFrom(width / mesh)) }
}

/** One step's tilted losses for either neighbour. */
function ringsOf(grid: LossGrid, { windows, points }: Plan): [Float64Array, Float64Array] {
  const ringOf = (i: 0 | 1): Float64Array => tiltedRing(grid, DIRECTIONS[i], windows[i].tilt, points)
  return [ringOf(0), ringOf(1)]
}

const cumulantOf =
  (parts: readonly Part[], direction: Direction): Cumulant =>
  (tilt) =>
    parts.reduce((sum, { steps, grid }) => sum + steps * gridCumulant(grid, direction, tilt), 0)

const powerOfTwoFrom = (least: number): number => 2 ** Math.ceil(Math.log2(least))

const widestLoss = ({ samplingRate, noise }: SampledGaussian, reach: number): number =>
  lossAt(samplingRate, noise, 1 + reach * noise) - lossAt(samplingRate, noise, -reach * noise)
