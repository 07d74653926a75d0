import { RotaError } from '#base/errors.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * An epoch's key, wrapped to each member and each reader of the protocol:
 *
 *   [ version=1, study, epoch, previous (60 bytes: an earlier epoch's key under this one, the one before as a rule, or null), [ [recipient (32), wrap (92)], … ],
 *     [ [epoch, earlier key (60 bytes)], … ] ]
 *
 * recipient: X25519 public key. wrap: ephemeral public key (32) ‖ AES-256-GCM nonce (12) ‖ key (32) ‖ tag (16), key = HKDF-SHA-256
 * of the shared secret bound to chain, contract, study, epoch and both public keys. previous: nonce (12) ‖ key (32) ‖ tag (16).
 * The last list is of the earlier keys to which `previous` does not lead, in the same form, and is left out where it is empty: whoever joins
 * later comes to every key that the drawer had.
 */
export interface EpochBundle {
  readonly study: number
  readonly epoch: number
  readonly previous: Uint8Array | null
  readonly earlier: readonly EarlierKey[]
  readonly wraps: readonly { readonly recipient: Uint8Array; readonly wrap: Uint8Array }[]
}

export interface EarlierKey {
  readonly epoch: number
  readonly sealed: Uint8Array
}

export const WRAP_BYTES = 92
export const PREVIOUS_BYTES = 60
/** Members and readers: 256 sites on a real chain, more on a simulated one. */
const MOST_WRAPS = 16_384
const MOST_EARLIER = 1_024

export function encodeEpochBundle(b: EpochBundle): Uint8Array {
  const head = [1, b.study, b.epoch, b.previous, b.wraps.map((w) => [w.recipient, w.wrap])]
  return toCbor(b.earlier.length === 0 ? head : [...head, b.earlier.slice(0, MOST_EARLIER).map(({ epoch, sealed }) => [epoch, sealed])])
}

/** @throws ROTA-4001, ROTA-4003 */
export function decodeEpochBundle(bytes: Uint8Array): EpochBundle {
  const malformed = () => new RotaError('ROTA-4001', { what: 'epoch bundle' })
  const value = fromCbor(bytes, 'epoch bundle')
  if (!Array.isArray(value)) throw malformed()
  if (value[0] !== 1) throw new RotaError('ROTA-4003', { version: String(value[0]), known: 1 })
  const [, study, epoch, previous, wraps, earlier = []] = value as unknown[]
  const isBytes = (x: unknown, length: number): x is Uint8Array => x instanceof Uint8Array && x.length === length
  if (!Number.isSafeInteger(study) || !Number.isSafeInteger(epoch) || !Array.isArray(wraps) || wraps.length > MOST_WRAPS) throw malformed()
  if (previous !== null && !isBytes(previous, PREVIOUS_BYTES)) throw malformed()
  if (!Array.isArray(earlier) || earlier.length > MOST_EARLIER) throw malformed()
  return {
    study: study as number,
    epoch: epoch as number,
    previous: previous as Uint8Array | null,
    earlier: earlier.map((pair) => {
      const [of, sealed] = Array.isArray(pair) ? pair : []
      if (!Number.isSafeInteger(of) || of < 0 || !isBytes(sealed, PREVIOUS_BYTES)) throw malformed()
      return { epoch: of, sealed }
    }),
    wraps: wraps.map((pair) => {
      const [recipient, wrap] = Array.isArray(pair) ? pair : []
      if (!isBytes(recipient, 32) || !isBytes(wrap, WRAP_BYTES)) throw malformed()
      return { recipient, wrap }
    }),
  }
}
