import { fewestShown } from './fewest-shown.ts'

/**
 * How many patients sums over one more cohort would show at least, together with the sums over earlier ones: those in whom it differs from one of
 * them, or fewer who show in a combination of several. Infinity where there is no earlier one, it is one of them, or
 * it is nobody, whose sum shows nothing.
 * @param enough where this many differ, no more is asked than whether a combination shows fewer
 */
export function smallestDifference(now: ReadonlySet<string>, earlier: readonly ReadonlySet<string>[], enough: number): number {
  if (now.size === 0) return Number.POSITIVE_INFINITY
  const differences = earlier.map((cohort) => symmetricDifference(now, cohort))
  const toOne = Math.min(...differences.filter((n) => n > 0), Number.POSITIVE_INFINITY)
  // Each two far enough apart, several may still show somebody together.
  const known = toOne < enough || differences.includes(0)
  return known || earlier.length < 2 ? toOne : Math.min(toOne, fewestShown(now, earlier, enough))
}

/** How many are in one of the two and not in the other. */
export function symmetricDifference(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0
  for (const x of a) if (b.has(x)) both += 1
  return a.size + b.size - 2 * both
}
