import { fromHex, toDigest } from '#base/bytes.ts'
import { type Digest, type RoundNo, type RunId, roundNo, runId } from '#base/ids.ts'
import type { Advertisement } from '#core/masking/advertisement.ts'
import { AGREEMENT_KEY_BYTES, KEM_KEY_BYTES } from '#core/masking/crypto.ts'
import { toCbor } from '../cbor.ts'
import { isBytes, isCount, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * "These are my keys for this round, if it opens as I expect."
 *
 *   [ version=2, "key-offer", run, round, context (32), mask key (32), channel key (32), channel ML-KEM key (1184) ]     dag-cbor array
 *
 * The sender is known from the signed gossip envelope. Sent while the round before still trains.
 */
export interface KeyOffer {
  readonly run: RunId
  readonly round: RoundNo
  /** What its deal will be bound to, see `dealingRound`. */
  readonly ctx: Digest
  readonly offer: Advertisement
}

const WHAT = 'key offer'
export const KEY_OFFER_LIMIT_BYTES = 2_048

export const encodeKeyOffer = ({ run, round, ctx, offer }: KeyOffer): Uint8Array =>
  toCbor([MASKING_VERSION, 'key-offer', run, round, fromHex(ctx), offer.maskKey, offer.channelKey, offer.channelKem])

/** @throws as `itemsOf` */
export function decodeKeyOffer(bytes: Uint8Array): KeyOffer {
  const [, kind, run, round, ctx, maskKey, channelKey, channelKem] = itemsOf(bytes, WHAT, KEY_OFFER_LIMIT_BYTES, 8)
  if (kind !== 'key-offer' || !isCount(run) || !isCount(round) || !isBytes(ctx, 32)) throw malformed(WHAT)
  if (!isBytes(maskKey, AGREEMENT_KEY_BYTES) || !isBytes(channelKey, AGREEMENT_KEY_BYTES) || !isBytes(channelKem, KEM_KEY_BYTES)) throw malformed(WHAT)
  return { run: runId(run), round: roundNo(round), ctx: toDigest(ctx), offer: { maskKey, channelKey, channelKem } }
}
