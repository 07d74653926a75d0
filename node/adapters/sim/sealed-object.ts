import { concat, equalBytes, fromHex, toDigest, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { EpochKey, ObjectKind } from '#ports/model-store.ts'
import { sha256 } from './hash.ts'

/**
 * Stands for an encrypted object: opens only with the right epoch key, kind and root, and the same bytes give the same CID.
 *
 *   lock (32) ‖ check (32) ‖ plaintext        lock = H(key, kind, length, root), check = H(plaintext)
 *
 * The plaintext lies open in it: what the simulator keeps is no secret.
 */
const HEADER_BYTES = 64

export const sealedLength = (plainBytes: number): number => HEADER_BYTES + plainBytes

export const seal = (plaintext: Uint8Array, kind: ObjectKind, root: Digest, key: EpochKey): Uint8Array =>
  concat(lockOf(plaintext.length, kind, root, key), sha256(plaintext), plaintext)

/** Null when the key, kind or root is another one, or a byte has changed. */
export function unseal(sealed: Uint8Array, kind: ObjectKind, root: Digest, key: EpochKey): Uint8Array | null {
  if (sealed.length < HEADER_BYTES) return null
  const plaintext = sealed.subarray(HEADER_BYTES)
  const whole =
    equalBytes(sealed.subarray(0, 32), lockOf(plaintext.length, kind, root, key)) && equalBytes(sealed.subarray(32, HEADER_BYTES), sha256(plaintext))
  return whole ? plaintext : null
}

export const cidOf = (bytes: Uint8Array): Digest => toDigest(sha256(utf8('block'), bytes))

const lockOf = (length: number, kind: ObjectKind, root: Digest, key: EpochKey): Uint8Array => sha256(utf8(`${kind} ${length} `), fromHex(root), key)
