import { fromHex } from '#base/bytes.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { type Deal, makeDeal } from '#core/masking/deal.ts'
import type { Site } from '#round/site.ts'
import { say } from '#round/steps/announce.ts'
import { type DealFile, encodeDealFile, MOST_TOGETHER } from '#wire/masking/deal-file.ts'
import { encodeParcel, parcelDigest } from '#wire/masking/parcel.ts'
import type { Play, Round } from '../play.ts'
import { type Dealing, loadOwn } from './dealing.ts'
import { maskedOf } from './masked-round.ts'
import { dealWord } from './said.ts'
import { sealDealt } from './secrets.ts'
import { soundOffers } from './sound.ts'

/** This site's secrets in shares, a parcel for each member. */
export async function deal(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const masked = maskedOf(play, round)
  await dealOut(play, round, masked, signal)
  await say(play.site, round, dealWord(masked))
}

/** In the journal before anybody hears of it: a restart sends the same shares. What is there of rounds before is wiped in the same write. */
export async function dealOut(play: Play, round: Round, dealing: Dealing, signal: AbortSignal): Promise<void> {
  const { site } = play
  const { terms, keys } = dealing
  if (keys === null) return
  const offers = soundOffers(play, dealing)
  const made = await makeDeal({ round: terms, site: site.id, keys, offers, parcelDigest: parcelDigest(site.sha256), crypto: site.masking })
  const file = await fileOf(site, made, keys.channel.publicKey, signal)
  const bytes = encodeDealFile(file)
  const { root, cid } = await site.store.put(bytes, outlineOf(bytes, site.sha256), 'masking', round.key, signal)
  const shares = sealDealt(site, dealing, made.shares)
  await site.journal.burn(round.run, round.round, { kind: 'dealt', run: dealing.run, round: dealing.round, ctx: dealing.ctx, root, cid, shares })
  await loadOwn(play, dealing, round.key, signal)
}

/** Among many members each parcel has a name of its own in the store, which is what its holder asks for. */
async function fileOf(site: Site, { index, parcels }: Deal, channelKey: Uint8Array, signal: AbortSignal): Promise<DealFile> {
  const encoded = [...parcels.values()].map(encodeParcel)
  if (encoded.length <= MOST_TOGETHER) return { index, channelKey, parcels: encoded }
  const cids = await Promise.all(encoded.map((parcel) => site.store.putPlain(parcel, signal)))
  return { index: { ...index, parcels: cids.map(fromHex) }, channelKey, parcels: [] }
}
