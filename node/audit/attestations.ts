import { EMPTY, has, sizeOf } from '#base/bitmap.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { asDigest, sha256 } from './digest.ts'
import { type EventOf, eventsOf, type RoundLog } from './run-log.ts'

/** Who attested the result that a round ended with, in the attempt that decided it. */
export interface Support {
  /** Sites of the frozen set with exactly this result. */
  readonly sites: readonly EventOf<'Attested'>[]
  /** More than half of the frozen set. */
  readonly needed: number
}

export function supportOf(round: RoundLog, ended: EventOf<'RoundClosed' | 'RoundRefused'>): Support {
  const included = round.frozen?.included ?? EMPTY
  const needed = Math.floor(sizeOf(included) / 2) + 1
  const votes = votesOf(round, ended.attempt).filter((vote) => has(included, vote.site))
  const status = ended.kind === 'RoundClosed' ? ended.status : 'refused'
  const sites = votes.filter((vote) => vote.status === status && vote.modelRoot === ended.modelRoot && vote.modelCid === ended.modelCid)
  return { sites, needed }
}

/** One attestation a site: the first. */
function votesOf(round: RoundLog, attempt: number): EventOf<'Attested'>[] {
  const first = new Map<SiteId, EventOf<'Attested'>>()
  for (const vote of eventsOf(round, 'Attested')) if (vote.attempt === attempt && !first.has(vote.site)) first.set(vote.site, vote)
  return [...first.values()]
}

/** own = H(site, H(1 ‖ model bytes)): who made it held the bytes. */
export const ownOf = (site: SiteId, model: Uint8Array): Digest => asDigest(sha256(Uint8Array.of(site), sha256(Uint8Array.of(1), model)))
