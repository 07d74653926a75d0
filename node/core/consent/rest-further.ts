import { PARTS, type Parts } from './parts.ts'
import { smallestDifference } from './smallest-difference.ts'

/** `restFurther` of each part by itself. @returns null where it is null of one */
export function restInParts(now: Parts, earlier: readonly Parts[], least: number): readonly string[] | null {
  const rest = PARTS.map((part) =>
    restFurther(
      now[part],
      earlier.map((cohort) => cohort[part]),
      least,
    ),
  )
  return rest.some((part) => part === null) ? null : rest.flatMap((part) => [...(part ?? [])])
}

/** So much of a cohort may rest. */
const MOST_RESTING = 1 / 4
const NOBODY: ReadonlySet<string> = new Set()

/**
 * Who of a cohort is left out of an exact run, though they consent, so that the others can be used at once after a withdrawal: nobody outside then
 * sees that the hospital's patients changed. Tried in this order, and each held to the rule that abstaining is held to:
 *
 *   1. nobody rests: the cohort is one that was used, or ten patients changed;
 *   2. who is not in the largest earlier cohort whose patients are all here still: its sum is known, and shows nothing new. New patients wait so until
 *      ten have come, and whoever rests rests on as long as nobody else changes;
 *   3. ten of the largest group of patients who were in the same earlier cohorts, of which ten others are used. No combination of sums that has a part
 *      of the new one shows fewer: the ten and the others then count differently, and one of the two shows.
 *
 * Limit: each run with a cohort of its own takes ten from a group, so that a hospital of n patients can rest about n / 10 − 1 times; then it abstains
 * until ten have changed. At most a quarter of a cohort rests.
 * @param least patients that sums may show
 * @returns null where leaving out a few would not do
 */
export function restFurther(now: ReadonlySet<string>, earlier: readonly ReadonlySet<string>[], least: number): ReadonlySet<string> | null {
  for (const rest of whoMayRest(now, earlier, least))
    if (rest.size <= MOST_RESTING * now.size && smallestDifference(without(now, rest), earlier, least) >= least) return rest
  return null
}

function* whoMayRest(now: ReadonlySet<string>, earlier: readonly ReadonlySet<string>[], least: number): Generator<ReadonlySet<string>> {
  yield NOBODY
  for (const cohort of earlier.toSorted((a, b) => b.size - a.size)) if (isWithin(cohort, now)) yield without(now, cohort)
  const [largest] = groupsOf(now, earlier).toSorted((a, b) => b.length - a.length)
  // Their names are digests under a key of the site: the first of them are anybody, and the same each time.
  if (largest !== undefined && largest.length >= 2 * least) yield new Set(largest.sort().slice(0, least))
}

const without = (all: ReadonlySet<string>, some: ReadonlySet<string>): ReadonlySet<string> => new Set([...all].filter((each) => !some.has(each)))
const isWithin = (some: ReadonlySet<string>, all: ReadonlySet<string>): boolean => [...some].every((each) => all.has(each))

/** Patients who were in the same earlier cohorts. */
function groupsOf(now: ReadonlySet<string>, earlier: readonly ReadonlySet<string>[]): string[][] {
  return [...Map.groupBy(now, (patient) => earlier.map((cohort) => (cohort.has(patient) ? 1 : 0)).join('')).values()]
}
