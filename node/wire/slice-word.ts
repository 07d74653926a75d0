import { concat, fromHex, toDigest, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Bitmap, type Digest, type RoundNo, type RunId, roundNo, runId } from '#base/ids.ts'
import { ANNOUNCE_VERSION, MESSAGE_LIMIT_BYTES } from './announce.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * "I am a custodian of this slice, added it up over this frozen set, and got these units, in these encrypted pieces."
 *
 *   [ version=1, "slice", run, round, slice, included (32, big endian), unit roots (32 each), pieces' SHA-256 (32 each) ]     dag-cbor array
 *
 * The sender is known from the signed gossip envelope. Whoever doubts it adds the slice up too: a word only saves work.
 */
export interface SliceWord {
  readonly kind: 'slice'
  readonly run: RunId
  readonly round: RoundNo
  readonly slice: number
  readonly included: Bitmap
  readonly units: readonly Digest[]
  readonly pieces: readonly Digest[]
}

const MOST_SLICES = 256

export const encodeSliceWord = (w: SliceWord): Uint8Array =>
  toCbor([
    ANNOUNCE_VERSION,
    w.kind,
    w.run,
    w.round,
    w.slice,
    fromHex(w.included.toString(16).padStart(64, '0')),
    concat(...w.units.map(fromHex)),
    concat(...w.pieces.map(fromHex)),
  ])

/**
 * Checks size, then version, then meaning.
 * @throws ROTA-4002 too long, ROTA-4003 unknown version, ROTA-4001 anything else
 */
export function decodeSliceWord(bytes: Uint8Array): SliceWord {
  if (bytes.length > MESSAGE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: MESSAGE_LIMIT_BYTES })
  const value = fromCbor(bytes, 'slice')
  if (!Array.isArray(value) || value.length === 0) throw malformed()
  if (value[0] !== ANNOUNCE_VERSION) throw new RotaError('ROTA-4003', { version: String(value[0]), known: ANNOUNCE_VERSION })
  const [, kind, run, round, slice, included, units, pieces] = value as unknown[]
  if (value.length !== 8 || kind !== 'slice' || !isCount(run) || !isCount(round) || !isCount(slice) || slice >= MOST_SLICES) throw malformed()
  if (!isBytes(included) || included.length !== 32 || !isHashes(units) || !isHashes(pieces)) throw malformed()
  return {
    kind: 'slice',
    run: runId(run),
    round: roundNo(round),
    slice,
    included: BigInt(toHex(included)) as Bitmap,
    units: hashesOf(units),
    pieces: hashesOf(pieces),
  }
}

const malformed = () => new RotaError('ROTA-4001', { what: 'slice' })
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0 && x <= 0xffffffff
const isBytes = (x: unknown): x is Uint8Array => x instanceof Uint8Array
const isHashes = (x: unknown): x is Uint8Array => isBytes(x) && x.length % 32 === 0
const hashesOf = (bytes: Uint8Array): Digest[] => Array.from({ length: bytes.length / 32 }, (_, i) => toDigest(bytes.subarray(32 * i, 32 * (i + 1))))
