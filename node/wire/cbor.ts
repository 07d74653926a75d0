import { decode, encode } from '@ipld/dag-cbor'
import { RotaError } from '#base/errors.ts'

/** Canonical dag-cbor: keys sorted, no undefined, one encoding for one value. */
export const toCbor = (value: unknown): Uint8Array => encode(value)

/** @throws ROTA-4001 when the bytes are no dag-cbor, or not its one canonical form */
export function fromCbor(bytes: Uint8Array, what: string): unknown {
  let value: unknown
  let isCanonical: boolean
  try {
    value = decode(bytes)
    isCanonical = Buffer.compare(encode(value), bytes) === 0
  } catch (cause) {
    throw new RotaError('ROTA-4001', { what }, cause)
  }
  if (!isCanonical) throw new RotaError('ROTA-4001', { what })
  return value
}
