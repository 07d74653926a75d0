import { RotaError } from '#base/errors.ts'
import { ANNOUNCE_VERSION, ANNOUNCED_KINDS, type Announce, decodeAnnounce, MESSAGE_LIMIT_BYTES } from './announce.ts'
import { fromCbor } from './cbor.ts'
import { decodeKeyOffer, type KeyOffer } from './masking/key-offer.ts'
import { decodeRelease, type ReleaseMessage } from './masking/release.ts'
import { decodeSliceWord, type SliceWord } from './slice-word.ts'
import { decodeWish, type WishWord } from './wish.ts'

/** All that members gossip. */
export type Message = Announce | SliceWord | OfferWord | ReleaseWord | WishWord
/** Of masked rounds: a site's keys, and the shares that it shows. */
export type OfferWord = KeyOffer & { readonly kind: 'key-offer' }
export type ReleaseWord = ReleaseMessage & { readonly kind: 'release' }

/**
 * The second item of every message names its kind. One that this version does not know is of a newer version: no fault of its sender.
 * @throws ROTA-4002 too long, ROTA-4003 unknown version or kind, ROTA-4001 anything else
 */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length > MESSAGE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: MESSAGE_LIMIT_BYTES })
  const value = fromCbor(bytes, 'message')
  const kind = Array.isArray(value) && value[0] === ANNOUNCE_VERSION ? (value[1] as unknown) : 0
  if (kind === 'slice') return decodeSliceWord(bytes)
  if (kind === 'wish') return decodeWish(bytes)
  if (kind === 'key-offer') return { kind, ...decodeKeyOffer(bytes) }
  if (kind === 'release') return { kind, ...decodeRelease(bytes) }
  if (typeof kind === 'string' || (Number.isSafeInteger(kind) && (kind as number) >= ANNOUNCED_KINDS.length))
    throw new RotaError('ROTA-4003', { version: `${ANNOUNCE_VERSION}, kind ${String(kind).slice(0, 20)}`, known: ANNOUNCE_VERSION })
  return decodeAnnounce(bytes)
}
