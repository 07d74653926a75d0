import { RotaError } from '#base/errors.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * An epoch's key, wrapped to each member and each reader of the protocol:
 *
 *   [ version=1, study, epoch, previous (60 bytes: an earlier epoch's key under this one, the one before as a rule, or null), [ [recipient (32), wrap (92)], … ] ]
 *
 * recipient: X25519 public key. wrap: ephemeral public key (32) ‖ AES-256-GCM nonce (12) ‖ key (32) ‖ tag (16), key = HKDF-SHA-256
 * of the shared secret bound to chain, contract, study, epoch and both public keys. previous: nonce (12) ‖ key (32) ‖ tag (16).
 */
export interface EpochBundle {
  readonly study: number
  readonly epoch: number
  readonly previous: Uint8Array | null
  readonly wraps: readonly { readonly recipient: Uint8Array; readonly wrap: Uint8Array }[]
}

export const WRAP_BYTES = 92
export const PREVIOUS_BYTES = 60
/** Members and readers: 256 sites on a real chain, more on a simulated one. */
const MOST_WRAPS = 16_384

export const encodeEpochBundle = (b: EpochBundle): Uint8Array => toCbor([1, b.study, b.epoch, b.previous, b.wraps.map((w) => [w.recipient, w.wrap])])

/** @throws ROTA-4001, ROTA-4003 */
export function decodeEpochBundle(bytes: Uint8Array): EpochBundle {
  const malformed = () => new RotaError('ROTA-4001', { what: 'epoch bundle' })
  const value = fromCbor(bytes, 'epoch bundle')
  if (!Array.isArray(value)) throw malformed()
  if (value[0] !== 1) throw new RotaError('ROTA-4003', { version: String(value[0]), known: 1 })
  const [, study, epoch, previous, wraps] = value as unknown[]
  const isBytes = (x: unknown, length: number): x is Uint8Array => x instanceof Uint8Array && x.length === length
  if (!Number.isSafeInteger(study) || !Number.isSafeInteger(epoch) || !Array.isArray(wraps) || wraps.length > MOST_WRAPS) throw malformed()
  if (previous !== null && !isBytes(previous, PREVIOUS_BYTES)) throw malformed()
  return {
    study: study as number,
    epoch: epoch as number,
    previous: previous as Uint8Array | null,
    wraps: wraps.map((pair) => {
      const [recipient, wrap] = Array.isArray(pair) ? pair : []
      if (!isBytes(recipient, 32) || !isBytes(wrap, WRAP_BYTES)) throw malformed()
      return { recipient, wrap }
    }),
  }
}
