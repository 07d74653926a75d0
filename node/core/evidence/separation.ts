import { NORMAL_95 } from '../evaluation/distributions.ts'
import type { AttackScores } from './privacy-region.ts'
import { clopperPearson, type Interval } from './proportion.ts'

/** How well an attack tells members from others. */
export interface Separation {
  readonly members: number
  readonly others: number
  /** Under the curve: the chance that a member scores above another, ties half; 0.5 is guessing. */
  readonly area: number
  /** 95 %, within 0 to 1. */
  readonly areaInterval: Interval
  /** Of members found where at most `falsePositiveRate` of the others are taken for members. */
  readonly found: number
  /** 95 %. */
  readonly foundInterval: Interval
  readonly falsePositiveRate: number
}

/**
 * The rate at which few are accused falsely says what an area cannot: an attack that is sure of one patient in a hundred harms that patient.
 * Null where there are none of one kind.
 * @param falsePositiveRate at most so many of the others are taken for members
 * @see DeLong, DeLong and Clarke-Pearson 1988 for the area's interval; Carlini et al. 2022, arXiv:2112.03570, for the rate
 */
export function separationOf(scores: AttackScores, falsePositiveRate = 0.01): Separation | null {
  const { members, others } = scores
  if (members.length === 0 || others.length === 0) return null
  const [above, below] = [placements(members, others), placements(others, members)]
  const area = mean(above)
  // Each member's placement among the others, and the other way round: their spread is that of the area.
  const error = Math.sqrt(variance(above) / members.length + variance(below) / others.length)
  const threshold = thresholdFor(others, falsePositiveRate)
  const hits = members.filter((score) => score > threshold).length
  return {
    members: members.length,
    others: others.length,
    area,
    areaInterval: { low: Math.max(0, area - NORMAL_95 * error), high: Math.min(1, area + NORMAL_95 * error) },
    found: hits / members.length,
    foundInterval: clopperPearson(hits, members.length, 0.95),
    falsePositiveRate,
  }
}

/** Of each score the share of `among` that lies below it, ties half. */
function placements(scores: readonly number[], among: readonly number[]): number[] {
  const sorted = Float64Array.from(among).sort()
  return scores.map((score) => (countBelow(sorted, score, false) + countBelow(sorted, score, true)) / (2 * sorted.length))
}

/** How many lie below, or, with `orEqual`, below or at. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const at = sorted[middle] as number
    if (at < value || (orEqual && at === value)) low = middle + 1
    else high = middle
  }
  return low
}

/** Above it lie at most so many of the others. */
function thresholdFor(others: readonly number[], falsePositiveRate: number): number {
  const descending = Float64Array.from(others).sort().reverse()
  return descending[Math.floor(falsePositiveRate * descending.length)] ?? Number.NEGATIVE_INFINITY
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length

function variance(values: readonly number[]): number {
  if (values.length < 2) return 0
  const middle = mean(values)
  return values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (values.length - 1)
}
