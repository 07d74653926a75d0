import { logSum } from './log-sums.ts'
import type { LossGrid } from './loss-grid.ts'
import type { Direction } from './loss-moments.ts'

const massOf = (grid: LossGrid, direction: Direction): Float64Array => (direction === 'removed' ? grid.removed : grid.added)

/** Sign of the loss at the grid's points: with the patient added, what spoke for them speaks against. */
const signOf = (direction: Direction): number => (direction === 'removed' ? 1 : -1)

/** ln Σ mass·e^(θ·loss) of one step on the grid. */
export function gridCumulant(grid: LossGrid, direction: Direction, tilt: number): number {
  const slope = signOf(direction) * tilt * grid.mesh
  return logSum(massOf(grid, direction).map((mass, i) => Math.log(mass) + slope * (grid.first + i)))
}

/** A ring of masses times e^(θ·loss), together 1: the loss i·mesh stands at i modulo the ring's length. */
export function tiltedRing(grid: LossGrid, direction: Direction, tilt: number, points: number): Float64Array {
  const cumulant = gridCumulant(grid, direction, tilt)
  const sign = signOf(direction)
  const masses = massOf(grid, direction)
  const ring = new Float64Array(points)
  for (let i = 0; i < masses.length; i++) {
    const at = sign * (grid.first + i)
    const place = ringPlace(at, points)
    ring[place] = (ring[place] as number) + (masses[i] as number) * Math.exp(tilt * at * grid.mesh - cumulant)
  }
  return ring
}

export const ringPlace = (at: number, length: number): number => ((at % length) + length) % length
