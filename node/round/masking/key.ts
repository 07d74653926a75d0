import { has } from '#base/bitmap.ts'
import type { Bitmap } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { makeKeyRecord } from '#core/masking/key-record.ts'
import { say } from '#round/steps/announce.ts'
import { encodeKeyFile, indexDigest } from '#wire/masking/key-file.ts'
import type { Play, Round } from '../play.ts'
import { dealtBefore } from './dealing.ts'
import type { Named } from './deals.ts'
import { sitesLeftOut } from './left-out.ts'
import { maskedOf } from './masked-round.ts'
import { keyedBefore, keyFileWord } from './said.ts'
import { sealShares } from './secrets.ts'
import { sitsOutAtOnce } from './sit-out.ts'

/**
 * Says on chain whose deals this site holds. With whom it masks follows from that; from now on it is bound to its own. What it keyed with is told to the
 * members by the same token: should it drop out, and one that is in die before it shows its shares, nobody else has the secret of the two.
 */
export async function key(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { site } = play
  const masked = maskedOf(play, round)
  const { keys, terms, deals } = masked
  const own = deals.files.get(site.id)
  const dealt = dealtBefore(play, masked)
  if (keys === null || own === undefined || dealt === null || (await sitsOutAtOnce(play, round, masked))) return
  const { index, channelKey } = own
  const leftOut = sitesLeftOut(play)
  const opened = new Map([...deals.opened].filter(([dealer]) => !has(leftOut, dealer)))
  const record = makeKeyRecord({ round: terms, site: site.id, keys, index: indexDigest(index, site.sha256), opened, crypto: site.masking })
  const bytes = encodeKeyFile({ record, index, channelKey, deal: dealt })
  const { root, cid } = await site.store.put(bytes, outlineOf(bytes, site.sha256), 'masking', round.key, signal)
  masked.ownFile = bytes
  const { held } = record
  const shares = sealShares(site, masked, opened)
  await site.journal.append({ kind: 'keyed', run: round.run, round: round.round, base: round.view.model.root, root, cid, held, shares })
  await send(play, round, { root, cid, held }, signal)
}

/** What the journal says, sent again. */
export async function keyAgain(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const entry = keyedBefore(play, round)
  if (entry !== null) await send(play, round, entry, signal)
}

async function send(play: Play, round: Round, { root, cid, held }: Named & { readonly held: Bitmap }, signal: AbortSignal): Promise<void> {
  await Promise.all([tell(play, round, signal), play.site.chain.key(round.run, round.round, root, cid, held)])
}

/** What nobody took is said again with the update. */
async function tell(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { masked } = play
  const words = await keyFileWord(play, round, signal).catch(() => [])
  const isTold = await say(play.site, round, words)
  if (isTold && masked !== null) masked.isFileTold = true
}
