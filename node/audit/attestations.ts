import { EMPTY, has, sizeOf } from '#base/bitmap.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { asDigest, sha256 } from './digest.ts'
import { type EventOf, eventsOf, type RoundLog } from './run-log.ts'

/** Who attested the result that a round ended with, in the attempt that decided it. */
export interface Support {
  /** Sites of the frozen set with exactly this result. */
  readonly sites: readonly EventOf<'Attested'>[]
  /** A refusal is also carried by those that had a model: as many as said the most frequent one. */
  readonly beside: number
  /** More than half of the frozen set. */
  readonly needed: number
}

export function supportOf(round: RoundLog, ended: EventOf<'RoundClosed' | 'RoundRefused'>): Support {
  const included = round.frozen?.included ?? EMPTY
  const needed = Math.floor(sizeOf(included) / 2) + 1
  const votes = votesOf(round, ended.attempt).filter((vote) => has(included, vote.site))
  const status = ended.kind === 'RoundClosed' ? ended.status : 'refused'
  const sites = votes.filter((vote) => vote.status === status && vote.modelRoot === ended.modelRoot && vote.modelCid === ended.modelCid)
  return { sites, beside: ended.kind === 'RoundRefused' ? largestModel(votes) : 0, needed }
}

/** One attestation a site: the first. */
function votesOf(round: RoundLog, attempt: number): EventOf<'Attested'>[] {
  const first = new Map<SiteId, EventOf<'Attested'>>()
  for (const vote of eventsOf(round, 'Attested')) if (vote.attempt === attempt && !first.has(vote.site)) first.set(vote.site, vote)
  return [...first.values()]
}

function largestModel(votes: readonly EventOf<'Attested'>[]): number {
  const counts = new Map<string, number>()
  for (const { status, modelRoot, modelCid } of votes) {
    if (status !== 'continue' && status !== 'finished') continue
    const tuple = `${status} ${modelRoot} ${modelCid}`
    counts.set(tuple, (counts.get(tuple) ?? 0) + 1)
  }
  return Math.max(0, ...counts.values())
}

/** own = H(site, H(1 ‖ model bytes)): who made it held the bytes. */
export const ownOf = (site: SiteId, model: Uint8Array): Digest => asDigest(sha256(Uint8Array.of(site), sha256(Uint8Array.of(1), model)))
