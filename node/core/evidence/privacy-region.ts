import { clopperPearson } from './proportion.ts'

/** A promise of (ε, δ) differential privacy about whoever an attack asks about. */
export interface Promised {
  readonly epsilon: number
  readonly delta: number
}

/**
 * The most of the members that any attack finds where it takes so many of the others for members too.
 * @param falsePositiveRate between 0 and 1
 * @see Kairouz, Oh and Viswanath 2015, arXiv:1311.0776, section 2.1
 */
export function mostFound(falsePositiveRate: number, { epsilon, delta }: Promised): number {
  const grown = Math.exp(epsilon)
  return Math.min(1, grown * falsePositiveRate + delta, 1 - (1 - delta - falsePositiveRate) / grown)
}

/** The largest area under the curve that any attack has under the promise: that of the curve of `mostFound`. */
export function mostArea({ epsilon, delta }: Promised): number {
  const grown = Math.exp(epsilon)
  const bend = (1 - delta) / (grown + 1)
  const rest = 1 - delta - bend
  return (grown * bend * bend) / 2 + delta * bend + rest - (rest * rest) / (2 * grown) + delta
}

/** Scores of an attack: the higher, the surer it is that the record was trained on. */
export interface AttackScores {
  readonly members: readonly number[]
  readonly others: readonly number[]
}

/**
 * The smallest ε that is still possible after an attack did so well: canaries that were put in or left out by a coin. The threshold is chosen on
 * every second record of each kind and judged on the others, so that choosing does not flatter it; exact intervals of both rates, each at half of
 * the doubt. What comes out is evidence against a promise that is smaller; it is never a promise itself.
 * @param confidence that the true ε is at least what is returned, such as 0.95
 * @see Jagielski, Ullman and Oprea 2020, arXiv:2006.07709, section 3; Nasr et al. 2021, arXiv:2101.04535
 */
export function leastEpsilon({ members, others }: AttackScores, delta: number, confidence: number): number {
  const [chosenOn, judgedOn] = [0, 1].map((part) => ({ members: half(members, part), others: half(others, part) })) as [AttackScores, AttackScores]
  const thresholds = [...new Set([...chosenOn.members, ...chosenOn.others])]
  const best = thresholds.map((at) => ({ at, shown: shownAt(chosenOn, at, delta, confidence) })).reduce((a, b) => (b.shown > a.shown ? b : a), NOTHING)
  return best === NOTHING ? 0 : shownAt(judgedOn, best.at, delta, confidence)
}

const NOTHING = { at: Number.NaN, shown: 0 }

const half = (scores: readonly number[], part: number): readonly number[] => scores.filter((_, i) => i % 2 === part)

/** By who is taken for a member, or by who is not: whichever shows more. Two looks and two rates share the doubt. */
function shownAt({ members, others }: AttackScores, threshold: number, delta: number, confidence: number): number {
  const both = 1 - (1 - confidence) / 2
  const found = clopperPearson(countFrom(members, threshold), members.length, both)
  const mistaken = clopperPearson(countFrom(others, threshold), others.length, both)
  const byFound = Math.log((found.low - delta) / mistaken.high)
  const byLeft = Math.log((1 - mistaken.high - delta) / (1 - found.low))
  return Math.max(0, ...[byFound, byLeft].filter((x) => !Number.isNaN(x)))
}

const countFrom = (scores: readonly number[], threshold: number): number => scores.reduce((count, score) => count + (score >= threshold ? 1 : 0), 0)
