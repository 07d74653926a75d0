import { isRotaError, RotaError } from '#base/errors.ts'
import { ANNOUNCE_VERSION, ANNOUNCED_KINDS, type Announce, decodeAnnounce, MESSAGE_LIMIT_BYTES } from './announce.ts'
import { fromCbor, toCbor } from './cbor.ts'
import { type DealWord, decodeDealWord } from './masking/deal-word.ts'
import { decodeKeyOffer, type KeyOffer } from './masking/key-offer.ts'
import { decodeRelease, type ReleaseMessage } from './masking/release.ts'
import { decodeSliceWord, type SliceWord } from './slice-word.ts'
import { decodeWish, type WishWord } from './wish.ts'

/** All that members gossip. */
export type Message = Word | Together
export type Word = Announce | SliceWord | WishWord | MaskingWord
/** Of masked rounds: a site's keys, its deal, and the shares that it shows. */
export type MaskingWord = OfferWord | DealWord | ReleaseWord
/** Words of masked rounds that a site has to say at one time: one message costs each member less than several. */
export interface Together {
  readonly kind: 'together'
  readonly words: readonly Word[]
}
export type OfferWord = KeyOffer & { readonly kind: 'key-offer' }
export type ReleaseWord = ReleaseMessage & { readonly kind: 'release' }

/**
 * The second item of every message names its kind. One that this version does not know is of a newer version: no fault of its sender.
 * @throws ROTA-4002 too long, ROTA-4003 unknown version or kind, ROTA-4001 anything else
 */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length > MESSAGE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: MESSAGE_LIMIT_BYTES })
  const ofMasking = DECODE.get(kindOf(bytes) ?? '')
  if (ofMasking !== undefined) return ofMasking(bytes)
  const value = fromCbor(bytes, 'message')
  const kind = Array.isArray(value) && value[0] === ANNOUNCE_VERSION ? (value[1] as unknown) : 0
  if (kind === 'slice') return decodeSliceWord(bytes)
  if (kind === 'wish') return decodeWish(bytes)
  if (typeof kind === 'string' || (Number.isSafeInteger(kind) && (kind as number) >= ANNOUNCED_KINDS.length))
    throw new RotaError('ROTA-4003', { version: `${ANNOUNCE_VERSION}, kind ${String(kind).slice(0, 20)}`, known: ANNOUNCE_VERSION })
  return decodeAnnounce(bytes)
}

/** Words of masked rounds are the longest, and are taken apart once. */
const DECODE: ReadonlyMap<string, (bytes: Uint8Array) => Message> = new Map<string, (bytes: Uint8Array) => Message>([
  ['key-offer', (bytes) => ({ kind: 'key-offer', ...decodeKeyOffer(bytes) })],
  ['release', (bytes) => ({ kind: 'release', ...decodeRelease(bytes) })],
  ['deal', decodeDealWord],
  ['together', (bytes) => decodeTogether(fromCbor(bytes, 'message') as unknown[])],
])

/** Of an array that begins with a version and a short text, by its first bytes (RFC 8949, section 3). The decoder looks at the rest. */
function kindOf(bytes: Uint8Array): string | undefined {
  const [array = 0, version = 0, text = 0] = bytes
  const length = text - 0x60
  if (array >> 5 !== 4 || version > MOST_AT_ONCE || length < 0 || length > 23) return undefined
  return String.fromCharCode(...bytes.subarray(3, 3 + length))
}

/** Larger numbers take more than a byte. */
const MOST_AT_ONCE = 23
const MOST_WORDS = 4

/**
 *   [ version=1, "together", [ message, … ] ]     dag-cbor array
 *
 * @param messages one to four, as they would be sent alone
 */
export const encodeTogether = (messages: readonly Uint8Array[]): Uint8Array => toCbor([ANNOUNCE_VERSION, 'together', messages])

/** What a message says, word by word: itself where it is one, or none. */
export function wordsApart(message: Uint8Array): readonly Uint8Array[] {
  try {
    const value = fromCbor(message, 'message')
    const words = Array.isArray(value) && value[1] === 'together' ? (value[2] as unknown) : null
    return Array.isArray(words) ? (words as Uint8Array[]) : [message]
  } catch {
    return [message]
  }
}

function decodeTogether([, , messages, ...more]: readonly unknown[]): Together {
  const isList = Array.isArray(messages) && messages.length > 0 && messages.length <= MOST_WORDS && more.length === 0
  if (!isList || !messages.every((each) => each instanceof Uint8Array)) throw new RotaError('ROTA-4001', { what: 'message' })
  return { kind: 'together', words: messages.flatMap(wordsOf) }
}

/** None of a kind that a newer version has. */
function wordsOf(bytes: Uint8Array): readonly Word[] {
  try {
    const word = decodeMessage(bytes)
    if (word.kind === 'together') throw new RotaError('ROTA-4001', { what: 'message' })
    return [word]
  } catch (error) {
    if (isRotaError(error, 'ROTA-4003')) return []
    throw error
  }
}
