import { siteId } from '#base/ids.ts'
import { drawnCount } from '#core/masking/drawn-groups.ts'
import { FEWEST_IN_GROUP } from '#core/masking/groups.ts'
import { drawCrash, drawLasting, MASKING_POINTS, UNBEARABLE } from './draw-faults.ts'
import { FALSE_DEALINGS, type FaultPlan, HIDDEN_LIES, MASKING_LIES } from './faults.ts'
import type { SimRandom } from './random.ts'

/** So many of a study in groups may be away or lie, wherever they are, and each group still has enough: when all of these sites were in its draw. */
export const borneInGroups = (sites: number): number => Math.max(0, Math.floor(sites / drawnCount(sites)) - FEWEST_IN_GROUP)

/** A round whose shares are false is refused, and all others of its set repeat it: of seeds that bear voids by groups that sit out, that asks too much. */
const BORNE_LIES = MASKING_LIES.filter((lie) => !FALSE_DEALINGS.includes(lie))

/**
 * The same faults for a study in groups. More may be in trouble at one time than each round can bear, so that groups sit out, and rounds are void; and a site may
 * hide garbage or a poison, which no more than its own group's sum has to bear.
 * @param bears so many may lie, since they lie to the end
 * @param most in half of all seeds so many may be in trouble at one time
 */
export function drawInGroups(random: SimRandom, plan: FaultPlan, sites: number, { bears, most }: { readonly bears: number; readonly most: number }): FaultPlan {
  const hidden = random.chance(0.3) ? [{ site: siteId(random.int(0, sites - 1)), lie: random.pick(HIDDEN_LIES) }] : []
  const liars = [...new Set(plan.lies.map(({ site }) => site))].filter((site) => site !== hidden[0]?.site).slice(0, bears - hidden.length)
  const masking = liars.flatMap((site) => (random.chance(0.6) ? [{ site, lie: random.pick(BORNE_LIES) }] : []))
  const lies = plan.lies.filter(({ site }) => liars.includes(site) && !masking.some((other) => other.site === site))
  const crashes = Array.from({ length: random.int(0, 3) }, () => ({
    ...drawCrash(random, siteId(random.int(0, sites - 1)), MASKING_POINTS),
    backAfterMs: drawLasting(random),
  }))
  return {
    ...plan,
    lies: [...hidden, ...lies, ...masking],
    crashes: [...plan.crashes, ...crashes],
    disturbances: plan.disturbances.filter(({ kind }) => !UNBEARABLE.includes(kind)),
    mostInTrouble: random.chance(0.5) ? bears : most,
  }
}
