import { createDecipheriv, hkdfSync } from 'node:crypto'
import { concat, fromHex, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { ObjectKind } from '#ports/model-store.ts'
import { asDigest } from './digest.ts'
import { rootOver } from './merkle-tree.ts'
import { PIECE_BYTES, partsOf, type SealedParts, TAG_BYTES } from './sealed-parts.ts'
import type { StoredObject } from './unixfs-object.ts'

/**
 * Opens what nodes seal, written a second time for the audit. Outline and pieces (sealed-parts.ts) are AES-256-GCM ciphertext and its tag
 * (16 bytes). A piece's nonce is its index in its slice (12 bytes, big endian), its key = HKDF-SHA-256(epoch key, "rota/object/1" ‖ kind ‖ 0 ‖
 * the slice's length (8, big endian) ‖ its Merkle root as a tree of its own); the outline's nonce is 0, and its key names "outline " and the
 * kind, and length and root of the whole.
 */
export interface Opened {
  /** Null when the outline does not say what its slices' keys are made of. */
  readonly plaintext: Uint8Array | null
  /** Every tag fits, and the outline has the root. Else the plaintext stands here all the same, and must not be trusted. */
  readonly fits: boolean
}

interface Sealing {
  readonly epochKey: Uint8Array
  readonly kind: ObjectKind
  /** Of the whole plaintext. */
  readonly root: Digest
  readonly slices: number
}

/** @returns null when no object of so many slices has such blocks */
export function openSealed(bytes: Uint8Array, { leafSizes }: Pick<StoredObject, 'leafSizes'>, sealing: Sealing): Opened | null {
  const parts = partsOf(leafSizes, sealing.slices)
  if (parts === null) return null
  const outline = openOutline(bytes.subarray(0, parts.outlineBytes), parts, sealing)
  if (!outline.fits && sealing.slices > 1) return { plaintext: null, fits: false }
  const plaintext = new Uint8Array(parts.lengthBytes)
  let fits = outline.fits
  let at = parts.outlineBytes
  for (const { firstUnit, endUnit, start, end, pieces } of parts.slices) {
    // Of one slice the root is known from the chain, whatever became of its outline.
    const root = sealing.slices === 1 ? sealing.root : asDigest(rootOver(outline.units.slice(firstUnit, endUnit)))
    const key = keyOf(sealing.epochKey, sealing.kind, end - start, root)
    for (let index = 0; index < pieces; index++) {
      const from = start + index * PIECE_BYTES
      const sealed = bytes.subarray(at, at + Math.min(PIECE_BYTES, end - from) + TAG_BYTES)
      const piece = openPiece(sealed, index, key)
      plaintext.set(piece.plaintext, from)
      fits &&= piece.tagFits
      at += sealed.length
    }
  }
  return { plaintext, fits }
}

function openOutline(sealed: Uint8Array, { lengthBytes, outlineBytes }: SealedParts, { epochKey, kind, root }: Sealing) {
  if (outlineBytes === 0) return { units: lengthBytes === 0 ? [] : [fromHex(root)], fits: true }
  const { plaintext, tagFits } = openPiece(sealed, 0, keyOf(epochKey, `outline ${kind}`, lengthBytes, root))
  const units = Array.from({ length: plaintext.length / 32 }, (_, i) => plaintext.subarray(i * 32, (i + 1) * 32))
  return { units, fits: tagFits && asDigest(rootOver(units)) === root }
}

function keyOf(epochKey: Uint8Array, name: string, lengthBytes: number, root: Digest): Uint8Array {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(lengthBytes))
  const info = concat(utf8(`rota/object/1${name}\0`), length, fromHex(root))
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
