import type { Sha256 } from '#base/bytes.ts'
import { KEM_TEXT_BYTES, SEAL_TAG_BYTES, SEED_BYTES, SHARE_BYTES } from '#core/masking/crypto.ts'
import type { Parcel, ParcelDigest } from '#core/masking/deal.ts'
import { toCbor } from '../cbor.ts'
import { isBytes, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * One holder's part of a deal.
 *
 *   [ version=2, ML-KEM ciphertext (1088), H(mask share) (32), H(self share) (32), sealed (82, or 114 with a pair secret) ]     dag-cbor array
 *
 * Of a holder that offered no keys ciphertext and sealed are empty.
 */
const WHAT = 'parcel'
export const PARCEL_LIMIT_BYTES = 2_048
const SEALED_BYTES = [0, 2 * SHARE_BYTES + SEAL_TAG_BYTES, 2 * SHARE_BYTES + SEAL_TAG_BYTES + SEED_BYTES]

export const encodeParcel = (p: Parcel): Uint8Array => toCbor([MASKING_VERSION, p.kemText, p.maskCommitment, p.selfCommitment, p.sealed])

/** Of the encoded parcel: its content's address. */
export const parcelDigest =
  (sha256: Sha256): ParcelDigest =>
  (parcel) =>
    sha256(encodeParcel(parcel))

/** The ciphertext may be of any length here: the round tells which site sent a malformed one. @throws as `itemsOf` */
export function decodeParcel(bytes: Uint8Array): Parcel {
  const [, kemText, maskCommitment, selfCommitment, sealed] = itemsOf(bytes, WHAT, PARCEL_LIMIT_BYTES, 5)
  if (!(kemText instanceof Uint8Array) || kemText.length > KEM_TEXT_BYTES) throw malformed(WHAT)
  if (!isBytes(maskCommitment, 32) || !isBytes(selfCommitment, 32)) throw malformed(WHAT)
  if (!(sealed instanceof Uint8Array) || !SEALED_BYTES.includes(sealed.length)) throw malformed(WHAT)
  return { kemText, maskCommitment, selfCommitment, sealed }
}
