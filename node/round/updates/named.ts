import type { RoundNo, SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { NamedUpdate } from './adding.ts'

/** The updates that the chain names in one round, by site and in its order. */
export interface NamedUpdates {
  readonly bySite: ReadonlyMap<SiteId, NamedUpdate>
  readonly list: readonly NamedUpdate[]
}

/** Simulated sites are handed one array of events for each state of the chain: it is read once for all of them. */
const read = new WeakMap<readonly ChainEvent[], NamedUpdates & { readonly round: RoundNo }>()

export function namedIn(events: readonly ChainEvent[], round: RoundNo): NamedUpdates {
  const known = read.get(events)
  if (known?.round === round) return known
  const bySite = new Map<SiteId, NamedUpdate>()
  for (const e of events) if (e.kind === 'Contributed' && e.round === round) bySite.set(e.site, { site: e.site, root: e.root, cid: e.cid })
  const fresh = { round, bySite, list: [...bySite.values()] }
  read.set(events, fresh)
  return fresh
}

const compared = new WeakMap<NamedUpdates['bySite'], { readonly now: NamedUpdates['bySite']; readonly stand: boolean }>()

/** Whether all that was named before is named now, with the same roots: else the chain went back. */
export function allStand(before: NamedUpdates['bySite'], now: NamedUpdates['bySite']): boolean {
  const known = compared.get(before)
  if (known?.now === now) return known.stand
  const stand = before === now || [...before].every(([site, { root }]) => now.get(site)?.root === root)
  compared.set(before, { now, stand })
  return stand
}
