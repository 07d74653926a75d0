import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { fromHex, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { EpochKey, ObjectKind } from '#ports/model-store.ts'

/**
 * How objects are encrypted before they are stored:
 *
 *   piece 0 | piece 1 | … | last piece        each piece = AES-256-GCM(key, nonce = its index, up to 1 MiB − 16 of plaintext) ‖ tag (16)
 *   key = HKDF-SHA256(epoch key, info = "rota/object/1" ‖ kind ‖ 0 ‖ plaintext length (8, big endian) ‖ plaintext's Merkle root (32))
 *
 * A sealed piece is exactly one 1 MiB block of the store, so pieces are opened as blocks arrive, in any order. An empty object is one piece.
 * Deterministic: the same bytes give the same CID whoever seals them. A key never meets two plaintexts, as it hangs on kind, length and root;
 * with it length and order are bound too. Guarantee ends at the epoch's members: each of them can seal and open.
 */
export const PIECE_BYTES = 1024 * 1024
const TAG_BYTES = 16
const PIECE_PLAIN_BYTES = PIECE_BYTES - TAG_BYTES
const INFO = utf8('rota/object/1')

export interface Sealed {
  readonly kind: ObjectKind
  /** Of the plaintext. */
  readonly lengthBytes: number
  readonly root: Digest
}

export const pieceCount = (plainBytes: number): number => Math.max(1, Math.ceil(plainBytes / PIECE_PLAIN_BYTES))

export const sealedLength = (plainBytes: number): number => plainBytes + TAG_BYTES * pieceCount(plainBytes)

/** Plaintext length of an object of `sealedBytes`, or null when no object has that length. */
export function plainLength(sealedBytes: number): number | null {
  const plain = sealedBytes - TAG_BYTES * Math.ceil(sealedBytes / PIECE_BYTES)
  return plain >= 0 && sealedLength(plain) === sealedBytes ? plain : null
}

export function objectKey(epochKey: EpochKey, { kind, lengthBytes, root }: Sealed): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(lengthBytes))
  return new Uint8Array(hkdfSync('sha256', epochKey, new Uint8Array(0), Buffer.concat([INFO, utf8(kind), Uint8Array.of(0), length, fromHex(root)]), 32))
}

/** The sealed pieces one after another; only one is held at a time. */
export function* sealPieces(plaintext: Uint8Array, key: Uint8Array): Generator<Uint8Array> {
  for (let index = 0; index < pieceCount(plaintext.length); index++) {
    const part = plaintext.subarray(index * PIECE_PLAIN_BYTES, (index + 1) * PIECE_PLAIN_BYTES)
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index))
    const sealed = Buffer.allocUnsafeSlow(part.length + TAG_BYTES)
    sealed.set(cipher.update(part))
    cipher.final()
    sealed.set(cipher.getAuthTag(), part.length)
    yield sealed
  }
}

/** Opens piece `index` into its place in `plaintext`; false when its tag or length does not fit. */
export function openPiece(sealed: Uint8Array, index: number, key: Uint8Array, plaintext: Uint8Array): boolean {
  const start = index * PIECE_PLAIN_BYTES
  const size = Math.min(PIECE_PLAIN_BYTES, plaintext.length - start)
  if (sealed.length !== size + TAG_BYTES) return false
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index)).setAuthTag(sealed.subarray(size))
  plaintext.set(decipher.update(sealed.subarray(0, size)), start)
  try {
    decipher.final()
    return true
  } catch {
    return false
  }
}

/**
 * Decrypts a whole object without looking at its tags: for an auditor who was handed changed bytes and wants to name the leaf that differs.
 * @returns null when no object has that length
 */
export function openUnchecked(sealed: Uint8Array, epochKey: EpochKey, object: Omit<Sealed, 'lengthBytes'>): Uint8Array | null {
  const lengthBytes = plainLength(sealed.length)
  if (lengthBytes === null) return null
  const key = objectKey(epochKey, { ...object, lengthBytes })
  const plaintext = new Uint8Array(lengthBytes)
  for (let index = 0; index < pieceCount(lengthBytes); index++) {
    const piece = sealed.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)
    plaintext.set(createDecipheriv('aes-256-gcm', key, nonceOf(index)).update(piece.subarray(0, -TAG_BYTES)), index * PIECE_PLAIN_BYTES)
  }
  return plaintext
}

function nonceOf(index: number): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(index, 8)
  return nonce
}
