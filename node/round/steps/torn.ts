import { has, sizeOf } from '#base/bitmap.ts'
import type { Attempt, Bitmap, RoundNo, SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Play, Round } from '../play.ts'

type Attested = Extract<ChainEvent, { kind: 'Attested' }>

/**
 * Whether votes divided the sites over an earlier publication of this round: none had a majority, and those for a model had one together with those that
 * refused. Then all refuse the next, and more than half name the base that stays: whoever were allowed to name it among fewer could make it up.
 */
export async function wereTorn({ site, study }: Play, { run, round, view }: Round): Promise<boolean> {
  const { validation } = study.protocol
  if (validation === undefined || validation.tolerance === 'none' || view.round.attempt === 0) return false
  const events = await site.chain.events(view.round.openedAtBlock, { run, kinds: ['Attested', 'PublicationDiscarded'] })
  return tornIn(events, round, view.round.included)
}

/** By the log: what was said of a publication before it was discarded. */
export function tornIn(events: readonly ChainEvent[], round: RoundNo, included: Bitmap): boolean {
  const said = new Map<Attempt, Attested[]>()
  for (const e of events) {
    if (e.kind === 'Attested' && e.round === round && has(included, e.site)) said.set(e.attempt, [...(said.get(e.attempt) ?? []), e])
    if (e.kind === 'PublicationDiscarded' && e.round === round && !e.wrongSum && isTorn(said.get(e.attempt) ?? [], sizeOf(included))) return true
  }
  return false
}

function isTorn(said: readonly Attested[], sites: number): boolean {
  const most = (statuses: readonly Attested['status'][]): number => {
    const alike = Map.groupBy(
      said.filter(({ status }) => statuses.includes(status)),
      ({ status, modelRoot, modelCid }) => `${status} ${modelRoot} ${modelCid}`,
    )
    return Math.max(0, ...[...alike.values()].map((each) => new Set<SiteId>(each.map(({ site }) => site)).size))
  }
  const refused = most(['refused'])
  return refused > 0 && 2 * (most(['continue', 'finished']) + refused) > sites
}
