import { createDecipheriv, hkdfSync } from 'node:crypto'
import { concat, fromHex, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { ObjectKind } from '#ports/model-store.ts'

/**
 * Opens what nodes seal, written a second time for the audit. An object is cut into pieces of 1 MiB: AES-256-GCM ciphertext and its
 * tag (16 bytes), nonce = the piece's index (12 bytes, big endian), key = HKDF-SHA-256(epoch key, "rota/object/1" ‖ kind ‖ 0 ‖
 * plaintext length (8, big endian) ‖ plaintext's Merkle root).
 */
const PIECE_BYTES = 1024 * 1024
const TAG_BYTES = 16

export interface Opened {
  readonly plaintext: Uint8Array
  /** Pieces whose tag does not fit: their plaintext stands here all the same, and must not be trusted. */
  readonly badPieces: readonly number[]
}

/** @returns null when no object has that length */
export function openSealed(sealed: Uint8Array, epochKey: Uint8Array, kind: ObjectKind, root: Digest): Opened | null {
  const pieces = Math.ceil(sealed.length / PIECE_BYTES)
  const lengthBytes = sealed.length - pieces * TAG_BYTES
  if (pieces === 0 || sealed.length - (pieces - 1) * PIECE_BYTES < TAG_BYTES) return null
  const key = objectKey(epochKey, kind, lengthBytes, root)
  const opened = Array.from({ length: pieces }, (_, index) => openPiece(sealed.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES), index, key))
  return { plaintext: concat(...opened.map((piece) => piece.plaintext)), badPieces: opened.flatMap((piece, index) => (piece.tagFits ? [] : [index])) }
}

function objectKey(epochKey: Uint8Array, kind: ObjectKind, lengthBytes: number, root: Digest): Uint8Array {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(lengthBytes))
  const info = concat(utf8(`rota/object/1${kind}\0`), length, fromHex(root))
  return new Uint8Array(hkdfSync('sha256', epochKey, new Uint8Array(0), info, 32))
}

/**
 * The plaintext comes from counter mode, which asks no tag; GCM runs beside it only to say whether the tag fits.
 * GCM's keystream for a 12-byte nonce is AES-CTR from the block nonce ‖ 00000002 on (NIST SP 800-38D, 7.1).
 */
function openPiece(piece: Uint8Array, index: number, key: Uint8Array): { plaintext: Uint8Array; tagFits: boolean } {
  const counter = new Uint8Array(16)
  const view = new DataView(counter.buffer)
  view.setUint32(8, index)
  view.setUint32(12, 2)
  const ciphertext = piece.subarray(0, -TAG_BYTES)
  const plaintext = createDecipheriv('aes-256-ctr', key, counter).update(ciphertext)
  const gcm = createDecipheriv('aes-256-gcm', key, counter.subarray(0, 12), { authTagLength: TAG_BYTES }).setAuthTag(piece.subarray(-TAG_BYTES))
  gcm.update(ciphertext)
  try {
    gcm.final()
    return { plaintext, tagFits: true }
  } catch {
    return { plaintext, tagFits: false }
  }
}
