import { fromHex, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Attempt, attemptNo, type Digest, type RoundNo, type RunId, roundNo, runId } from '#base/ids.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * "This object exists, and here it is when it is small."
 *
 *   [ version=1, kind, run, round, attempt, root (32), cid (32), inline (bytes, or null) ]     dag-cbor array
 *
 * The sender is known from the signed gossip envelope. `inline` is the encrypted object, so that a message read by a
 * stranger tells nothing; it is a hint: whoever lacks it fetches `cid`.
 */
export interface Announce {
  readonly kind: AnnouncedKind
  readonly run: RunId
  readonly round: RoundNo
  /** Publication attempt for sums and models; 0 for updates. */
  readonly attempt: Attempt
  readonly root: Digest
  readonly cid: Digest
  readonly inline: Uint8Array | null
}

export const ANNOUNCED_KINDS = ['update', 'sum', 'model'] as const
export type AnnouncedKind = (typeof ANNOUNCED_KINDS)[number]

export const ANNOUNCE_VERSION = 1
/** An object up to this size travels inside its announcement. */
export const INLINE_LIMIT_BYTES = 256 * 1024
/** A vector up to this size fits, once encrypted: its outline and tags take less than 1 KiB. */
export const INLINE_VECTOR_BYTES = INLINE_LIMIT_BYTES - 1024
/** Anything longer is rejected before it is decoded. */
export const MESSAGE_LIMIT_BYTES = 512 * 1024

export const encodeAnnounce = (m: Announce): Uint8Array =>
  toCbor([ANNOUNCE_VERSION, ANNOUNCED_KINDS.indexOf(m.kind), m.run, m.round, m.attempt, fromHex(m.root), fromHex(m.cid), m.inline])

/**
 * Checks size, then version, then meaning.
 * @throws ROTA-4002 too long, ROTA-4003 unknown version, ROTA-4001 anything else
 */
export function decodeAnnounce(bytes: Uint8Array): Announce {
  if (bytes.length > MESSAGE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: MESSAGE_LIMIT_BYTES })
  const value = fromCbor(bytes, 'announcement')
  if (!Array.isArray(value) || value.length === 0) throw malformed()
  if (value[0] !== ANNOUNCE_VERSION) throw new RotaError('ROTA-4003', { version: String(value[0]), known: ANNOUNCE_VERSION })
  const [, kindIndex, run, round, attempt, root, cid, inline] = value as unknown[]
  const kind = ANNOUNCED_KINDS[kindIndex as number]
  if (value.length !== 8 || kind === undefined || !isCount(run) || !isCount(round) || !isCount(attempt) || !is32(root) || !is32(cid)) throw malformed()
  if (inline !== null && !(inline instanceof Uint8Array)) throw malformed()
  return { kind, run: runId(run), round: roundNo(round), attempt: attemptNo(attempt), root: toDigest(root), cid: toDigest(cid), inline }
}

const malformed = () => new RotaError('ROTA-4001', { what: 'announcement' })
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0 && x <= 0xffffffff
const is32 = (x: unknown): x is Uint8Array => x instanceof Uint8Array && x.length === 32
