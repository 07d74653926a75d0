import { type CipherKey, createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { fromHex, release, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { EpochKey, ObjectKind } from '#ports/model-store.ts'

/**
 * How objects are encrypted before they are stored; each part is one block:
 *
 *   outline | slice 0: piece 0 | piece 1 | … | slice 1: piece 0 | …      each = AES-256-GCM(key, nonce) ‖ tag (16)
 *
 * outline   roots of the vector's units (32 bytes each), nonce 0; none where there is one unit or nothing
 * piece     up to 1 MiB of plaintext, which is whole units; nonce = its index in its slice
 * key       HKDF-SHA256(epoch key, info = "rota/object/1" ‖ kind ‖ 0 ‖ length (8, big endian) ‖ Merkle root (32)) with length and root of the
 *           slice as a tree of its own; for the outline those of the whole, and "outline " before the kind
 *
 * Deterministic: the same bytes give the same CID whoever seals them. A key never meets two plaintexts, as it hangs on kind, length and root;
 * with it length and order are bound too. Guarantee ends at the epoch's members: each of them can seal and open.
 */
export const PIECE_BYTES = 1024 * 1024
export const TAG_BYTES = 16
/** The longest block of a store: a full piece. */
export const MAX_BLOCK_BYTES = PIECE_BYTES + TAG_BYTES

/** What a key is made for: a slice, or the whole for its outline. */
export interface Sealed {
  readonly kind: ObjectKind
  /** Of the plaintext. */
  readonly lengthBytes: number
  readonly root: Digest
}

export const sliceKey = (epochKey: EpochKey, slice: Sealed): Uint8Array => derive(epochKey, slice.kind, slice)

export const outlineKey = (epochKey: EpochKey, whole: Sealed): Uint8Array => derive(epochKey, `outline ${whole.kind}`, whole)

function derive(epochKey: EpochKey, name: string, { lengthBytes, root }: Sealed): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(lengthBytes))
  const info = Buffer.concat([INFO, utf8(name), Uint8Array.of(0), length, fromHex(root)])
  return new Uint8Array(hkdfSync('sha256', epochKey, NO_SALT, info, 32))
}

const INFO = utf8('rota/object/1')
const NO_SALT = new Uint8Array(0)
/** Node's ciphers make a buffer for each call's result: small ones are used again by the system, those as long as a piece are mapped anew. */
const STEP_BYTES = 64 * 1024

/** @param into as long as `plaintext` and a tag */
export function sealPiece(plaintext: Uint8Array, index: number, key: CipherKey, into: Uint8Array): void {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index))
  for (let at = 0; at < plaintext.length; at += STEP_BYTES) place(cipher.update(plaintext.subarray(at, at + STEP_BYTES)), into, at)
  cipher.final()
  into.set(cipher.getAuthTag(), plaintext.length)
}

/**
 * Opens a piece into `plaintext`, which is as long as the piece is said to be, and may be the beginning of `sealed` itself.
 * @returns false when its tag or length does not fit; then `plaintext` holds nothing that can be trusted
 */
export function openPiece(sealed: Uint8Array, index: number, key: CipherKey, plaintext: Uint8Array): boolean {
  const size = plaintext.length
  if (sealed.length !== size + TAG_BYTES) return false
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index)).setAuthTag(sealed.subarray(size))
  for (let at = 0; at < size; at += STEP_BYTES) place(decipher.update(sealed.subarray(at, Math.min(at + STEP_BYTES, size))), plaintext, at)
  try {
    decipher.final()
    return true
  } catch {
    return false
  }
}

function place(result: Uint8Array, into: Uint8Array, at: number): void {
  into.set(result, at)
  release(result)
}

function nonceOf(index: number): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(index, 8)
  return nonce
}
