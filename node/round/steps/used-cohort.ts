import type { Digest } from '#base/ids.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import type { Site } from '../site.ts'
import { restsPatients, type Study } from '../study.ts'

/** The same cohort is asked about at each look. */
const made = new WeakMap<ConsentedCohort, { readonly who: readonly Digest[]; readonly used: ConsentedCohort }>()
const resting = new WeakMap<ConsentedCohort, number>()

/**
 * Those of who consents that this site makes its update of: all, but in an exact study in which patients may rest
 * (core/consent/rest-further.ts). A use that does not happen touches no consent.
 */
export async function usedCohort({ site, study }: UserOf, consented: ConsentedCohort): Promise<ConsentedCohort> {
  if (!restsPatients(study)) return consented
  const who = await site.differencing.whoRests(consented.patients, consented.testing)
  // Where leaving out a few would not do, the rule refuses them all.
  if (who === null || who.length === 0) return consented
  const last = made.get(consented)
  if (last !== undefined && last.who.length === who.length && who.every((patient, i) => patient === last.who[i])) return last.used
  const used = consented.without(new Set(who))
  made.set(consented, { who, used })
  resting.set(used, who.length)
  return used
}

interface UserOf {
  readonly site: Pick<Site, 'differencing'>
  readonly study: Pick<Study, 'exact' | 'protocol'>
}

/** How many consent and are left out of a cohort that `usedCohort` gave. Only this site's people are told. */
export const restingBeside = (used: ConsentedCohort): number => resting.get(used) ?? 0
