import { outlineOf } from '#core/commit/outline.ts'
import { makeKeyRecord } from '#core/masking/key-record.ts'
import { encodeKeyFile, indexDigest } from '#wire/masking/key-file.ts'
import type { Play, Round } from '../play.ts'
import { fetchDeal } from './deals.ts'
import { dealtBefore } from './follow.ts'
import { maskedOf } from './masked-round.ts'

/** Says on chain whose deals this site holds. With whom it masks follows from that; from now on it is bound to its own. */
export async function key(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { site } = play
  const { keys, terms, deals } = maskedOf(play, round)
  const dealt = dealtBefore(play, round)
  if (keys === null || dealt === null) return
  const { index, channelKey } = await fetchDeal(site.store, round.key, site.id, dealt, signal)
  const own = indexDigest(index, site.sha256)
  const record = makeKeyRecord({ round: terms, site: site.id, keys, index: own, opened: deals.opened, crypto: site.masking })
  const bytes = encodeKeyFile({ record, index, channelKey })
  const { root, cid } = await site.store.put(bytes, outlineOf(bytes, site.sha256), 'masking', round.key, signal)
  const { held } = record
  await site.journal.append({ kind: 'keyed', run: round.run, round: round.round, root, cid, held })
  await site.chain.key(round.run, round.round, root, cid, held)
}

/** What the journal says, sent again. */
export async function keyAgain({ site }: Play, { run, round }: Round): Promise<void> {
  const entry = site.journal.entries().findLast((e) => e.kind === 'keyed' && e.run === run && e.round === round)
  if (entry?.kind === 'keyed') await site.chain.key(run, round, entry.root, entry.cid, entry.held)
}
