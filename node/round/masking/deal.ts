import { fromHex } from '#base/bytes.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { makeDeal } from '#core/masking/deal.ts'
import { encodeDealFile } from '#wire/masking/deal-file.ts'
import { encodeParcel, parcelDigest } from '#wire/masking/parcel.ts'
import type { Play, Round } from '../play.ts'
import { tellDeal } from './advertise.ts'
import { soundOffers } from './follow.ts'
import { maskedOf } from './masked-round.ts'

/** This site's secrets in shares, a parcel for each member that offered keys. In the journal before anybody hears of it: a restart sends the same shares. */
export async function deal(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { site } = play
  const masked = maskedOf(play, round)
  if (masked.keys === null) return
  const { index, parcels } = await makeDeal({
    round: masked.terms,
    site: site.id,
    keys: masked.keys,
    offers: soundOffers(play, round, masked),
    parcelDigest: parcelDigest(site.sha256),
    crypto: site.masking,
  })
  // In the store each has a name of its own, which is what its holder asks for.
  const cids = await Promise.all([...parcels.values()].map((parcel) => site.store.putPlain(encodeParcel(parcel), signal)))
  const bytes = encodeDealFile({ index: { ...index, parcels: cids.map(fromHex) }, channelKey: masked.keys.channel.publicKey })
  const { root, cid } = await site.store.put(bytes, outlineOf(bytes, site.sha256), 'masking', round.key, signal)
  await site.journal.append({ kind: 'dealt', run: round.run, round: round.round, root, cid })
  await tellDeal(play, round)
}
