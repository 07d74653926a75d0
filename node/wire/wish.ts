import { RotaError } from '#base/errors.ts'
import { type RoundNo, type RunId, roundNo, runId, type SiteId } from '#base/ids.ts'
import { ANNOUNCE_VERSION, MESSAGE_LIMIT_BYTES } from './announce.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * Whether a site wishes an exact run to be halted, sealed for the members of the study: every site says it at fixed times, and all messages are of one
 * size, so that whoever hands them on does not learn who has a wish.
 *
 *   [ version=1, "wish", run, round, sealed (39) ]     dag-cbor array
 *   sealed, opened: wishes (1 byte, 0 or 1) ‖ run (4, big endian) ‖ round (4) ‖ site (2)
 *
 * The sender is known from the signed gossip envelope; what was sealed for another round, or by another site, is not listened to.
 */
export interface WishWord {
  readonly kind: 'wish'
  readonly run: RunId
  readonly round: RoundNo
  readonly sealed: Uint8Array
}

const OPENED_BYTES = 11
/** With the nonce and the tag of AES-256-GCM. */
const SEALED_BYTES = 12 + OPENED_BYTES + 16

export const encodeWish = ({ kind, run, round, sealed }: WishWord): Uint8Array => toCbor([ANNOUNCE_VERSION, kind, run, round, sealed])

/**
 * Checks size, then version, then meaning.
 * @throws ROTA-4002 too long, ROTA-4003 unknown version, ROTA-4001 anything else
 */
export function decodeWish(bytes: Uint8Array): WishWord {
  if (bytes.length > MESSAGE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: MESSAGE_LIMIT_BYTES })
  const value = fromCbor(bytes, 'wish')
  if (!Array.isArray(value) || value.length === 0) throw malformed()
  if (value[0] !== ANNOUNCE_VERSION) throw new RotaError('ROTA-4003', { version: String(value[0]), known: ANNOUNCE_VERSION })
  const [, kind, run, round, sealed] = value as unknown[]
  if (value.length !== 5 || kind !== 'wish' || !isCount(run) || !isCount(round)) throw malformed()
  if (!(sealed instanceof Uint8Array) || sealed.length !== SEALED_BYTES) throw malformed()
  return { kind: 'wish', run: runId(run), round: roundNo(round), sealed }
}

/** What a site says in one round. */
export interface WishBy {
  readonly wishes: boolean
  readonly run: RunId
  readonly round: RoundNo
  readonly site: SiteId
}

/** To be sealed. */
export function wishBytes({ wishes, run, round, site }: WishBy): Uint8Array {
  const bytes = new Uint8Array(OPENED_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, wishes ? 1 : 0)
  view.setUint32(1, run)
  view.setUint32(5, round)
  view.setUint16(9, site)
  return bytes
}

const malformed = () => new RotaError('ROTA-4001', { what: 'wish' })
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0 && x <= 0xffffffff
