import { concat, equalBytes, fromHex, toDigest, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { EpochKey, ObjectKind } from '#ports/model-store.ts'
import { plainRoot } from '#wire/plain-root.ts'
import { sha256 } from './hash.ts'

/**
 * Stands for an encrypted object: opens only with the right epoch key, kind and root, and the same bytes give the same CID.
 *
 *   lock (32) ‖ tag (32) ‖ plaintext        lock = H(key, kind, length, root), tag = H(lock)
 *
 * The plaintext lies open in it: what the simulator keeps is no secret. That its bytes are those that the root names is for the reader to check.
 */
const HEADER_BYTES = 64

export const sealedLength = (plainBytes: number): number => HEADER_BYTES + plainBytes

export function seal(plaintext: Uint8Array, kind: ObjectKind, root: Digest, key: EpochKey): Uint8Array {
  const lock = lockOf(plaintext.length, kind, root, key)
  return concat(lock, sha256(lock), plaintext)
}

/** Null when the key, kind, length or root is another one. */
export function unseal(sealed: Uint8Array, kind: ObjectKind, root: Digest, key: EpochKey): Uint8Array | null {
  if (sealed.length < HEADER_BYTES) return null
  const plaintext = sealed.subarray(HEADER_BYTES)
  const lock = lockOf(plaintext.length, kind, root, key)
  return equalBytes(sealed.subarray(0, 32), lock) && equalBytes(sealed.subarray(32, HEADER_BYTES), sha256(lock)) ? plaintext : null
}

/** As of a real store's object of one piece. */
export const cidOf = (bytes: Uint8Array): Digest => toDigest(plainRoot(bytes, sha256))

const lockOf = (length: number, kind: ObjectKind, root: Digest, key: EpochKey): Uint8Array => sha256(utf8(`${kind} ${length} `), fromHex(root), key)
