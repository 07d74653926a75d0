import { EMPTY, has, sitesOf } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { DealIndex } from '#core/masking/deal.ts'
import { heldBy } from '#core/masking/graph.ts'
import type { Release } from '#core/masking/release.ts'
import type { Play, Round } from '../play.ts'
import { isRightRelease } from './heard-releases.ts'
import { dealFileOf, type MaskedRound } from './masked-round.ts'

/** What members showed for the frozen set; what is of another round or set, or malformed, is left out. */
export function checkedReleases(play: Play, round: Round, masked: MaskedRound): ReadonlyMap<SiteId, Release> {
  const { included } = round.view.round
  const { releases } = play.mail.of(round.run, round.round)
  return new Map([...releases].filter((each) => isRightRelease(play, masked, included, each) && heldBy(masked.graph, each[0]) !== EMPTY))
}

/** The index of each site whose masks stand in the sum, as the chain names it. Null while one is lacking. */
export function indexesFor(masked: MaskedRound, survivors: Bitmap): ReadonlyMap<SiteId, DealIndex> | null {
  const indexes = new Map<SiteId, DealIndex>()
  for (const site of sitesOf((survivors | masked.graph.sites) as Bitmap)) {
    const index = dealFileOf(masked, site)?.index
    if (index !== undefined) indexes.set(site, index)
    else if (has(survivors, site) || (masked.graph.neighbours(site) & survivors) !== 0n) return null
  }
  return indexes
}
