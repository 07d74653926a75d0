import { type Sha256, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { fromCbor, toCbor } from './cbor.ts'

/** Canonical bytes of a protocol after defaults: what stewards approve is their SHA-256. */
export const encodeProtocol = (protocol: Protocol): Uint8Array => toCbor(protocol)

export const protocolDigest = (protocol: Protocol, sha256: Sha256): Digest => toDigest(sha256(encodeProtocol(protocol)))

/**
 * Bytes that hash to a digest which stewards approved; their meaning was checked by each of them.
 * @throws ROTA-4001, ROTA-4003
 */
export function decodeProtocol(bytes: Uint8Array): Protocol {
  const value = fromCbor(bytes, 'protocol') as Partial<Protocol> | null
  if (value === null || typeof value !== 'object') throw new RotaError('ROTA-4001', { what: 'protocol' })
  if (value.version !== 1) throw new RotaError('ROTA-4003', { version: String(value.version), known: 1 })
  return value as Protocol
}
