import { bitmapOf, EMPTY, sizeOf } from '#base/bitmap.ts'
import type { Sha256 } from '#base/bytes.ts'
import type { Bitmap, RoundNo } from '#base/ids.ts'
import { type Before, FIRST, maskGraph } from '#core/masking/graph.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Play } from '../play.ts'
import { END_KINDS, standingEnds } from '../round-ends.ts'

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>

/**
 * What the rounds before one of a masked run say of its mask graph. All who read the chain get the same. Nothing where a refused round is repeated, for which
 * all of its set are needed, nor in groups, where who keyed may have no place.
 */
export async function beforeOf({ site, study, run }: Pick<Play, 'site' | 'study' | 'run'>, round: RoundNo): Promise<Before> {
  if (study.protocol.mode !== 'masked') return FIRST
  const ends = await site.chain.events(0, { run, kinds: END_KINDS })
  const { voids, since } = voidsBefore(ends, round)
  if (voids.length === 0) return FIRST
  const acts = await site.chain.events(since, { run, kinds: ['RoundOpened', 'Keyed', 'Contributed', 'Frozen'] })
  return beforeIn([...ends, ...acts], round, study.protocol, site.sha256)
}

/** @param events of one run */
export function beforeIn(events: readonly ChainEvent[], round: RoundNo, { quorum }: Pick<Protocol, 'quorum'>, sha256: Sha256): Before {
  const ofRound = (each: RoundNo): readonly ChainEvent[] => events.filter((e) => 'round' in e && e.round === each)
  let defaulted = EMPTY
  for (const each of voidsBefore(events, round).voids) defaulted = defaultedAfter(ofRound(each), { quorum, defaulted }, sha256)
  return { quorum, defaulted }
}

/**
 * Void rounds since one closed, the first of them first, and the block from which on they happened; none once a sum was refused. A round that was open when one
 * before it was disputed was cut short: its void says nothing.
 */
function voidsBefore(events: readonly ChainEvent[], round: RoundNo): { readonly voids: readonly RoundNo[]; readonly since: number } {
  const ends = standingEnds(events).filter((e) => e.round < round)
  const last = ends.findLastIndex(({ kind }) => kind !== 'RoundVoid')
  const voids = ends[last]?.kind === 'RoundRefused' ? [] : ends.slice(last + 1).map((e) => e.round)
  return { voids: voids.filter((each, i) => voids.slice(i + 1).every((later) => later > each)), since: ends[last]?.block ?? 0 }
}

/**
 * Who might have contributed to a round and was not in its set, or, where none was frozen, did not contribute, is a defaulter from then on; who was in or did is none any more. Whoever found no
 * place in it stays what it was.
 */
function defaultedAfter(events: readonly ChainEvent[], before: Before, sha256: Sha256): Bitmap {
  const opened = events.findLast((e): e is Of<'RoundOpened'> => e.kind === 'RoundOpened')
  if (opened === undefined) return before.defaulted
  const members = opened.awaited
  const keyed = events.filter((e): e is Of<'Keyed'> => e.kind === 'Keyed')
  const frozen = events.findLast((e): e is Of<'Frozen'> => e.kind === 'Frozen')
  const contributed = bitmapOf(events.flatMap((e) => (e.kind === 'Contributed' ? [e.site] : [])))
  const { sites } = maskGraph({ members, threshold: thresholdOf(sizeOf(members)) }, keyed, sha256, before)
  return ((before.defaulted | sites) & ~(frozen?.included ?? contributed)) as Bitmap
}
