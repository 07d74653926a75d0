import type { DisturbanceBody, Who } from './faults.ts'
import type { SimRandom } from './random.ts'
import type { SimSite } from './site.ts'
import type { SimWorld } from './world.ts'

/** What the world lets a disturber do to its sites. */
export interface Powers {
  kill(site: SimSite, why: string, backAfterMs: number, beforeItIsBack?: () => void): void
}

type Of<K extends DisturbanceBody['kind']> = Extract<DisturbanceBody, { kind: K }>
/** What is done for each kind of disturbance. */
export type Acts<K extends DisturbanceBody['kind'] = DisturbanceBody['kind']> = { readonly [Kind in K]: (what: Of<Kind>) => void }

/** How anything is done to a site or to the world: told, counted, and left out where it would leave too few out of trouble. */
export interface Hand {
  readonly world: SimWorld
  readonly powers: Powers
  readonly random: SimRandom
  /** Leader and standby are those of the attempt that is open now. */
  siteOf(who: Who): SimSite
  /** Does it to a site that is up. */
  at(who: Who, why: string, act: (site: SimSite) => void): void
  /** The site is in trouble for so long; `end` mends it. */
  lasts(site: SimSite, why: string, lastsMs: number, end: () => void): void
  note(site: SimSite | null, what: string): void
  spare(what: string): void
  /** No majority, or no chain, from now on. */
  outage(lastsMs: number): void
}
