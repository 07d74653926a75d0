import { type Sha256, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { isTerms, type Terms } from '#core/consent/terms.ts'
import { fromCbor, toCbor } from './cbor.ts'

/** Canonical bytes of a programme's terms, as they are on chain. */
export const encodeTerms = (terms: Terms): Uint8Array => toCbor(terms)

export const termsDigest = (terms: Terms, sha256: Sha256): Digest => toDigest(sha256(encodeTerms(terms)))

/** @throws ROTA-4001 when the bytes are no terms, or not their one canonical form */
export function decodeTerms(bytes: Uint8Array): Terms {
  const value = fromCbor(bytes, 'terms')
  if (!isTerms(value)) throw new RotaError('ROTA-4001', { what: 'terms' })
  return value
}
