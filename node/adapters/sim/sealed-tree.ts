import { concat, equalBytes, fromHex, toDigest, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { type Outline, outlineFrom, unitCount } from '#core/commit/outline.ts'
import type { EpochKey, ObjectKind, SealedSlice } from '#ports/model-store.ts'
import { sha256 } from './hash.ts'

/**
 * Stands for the tree of an object of several slices: its outline, readable with the right key, kind and root only, and the names of its pieces.
 *
 *   "tree" ‖ slices (2, big endian) ‖ length (8) ‖ lock (32) ‖ unit roots ‖ a piece's name, or zeros, for each slice
 */
const MARK = utf8('tree')
const HEAD_BYTES = 4 + 2 + 8 + 32
const NOTHING = new Uint8Array(32)

export function sealTree(slices: readonly SealedSlice[], outline: Outline, kind: ObjectKind, key: EpochKey): Uint8Array {
  const sizes = new Uint8Array(10)
  const view = new DataView(sizes.buffer)
  view.setUint16(0, slices.length)
  view.setBigUint64(2, BigInt(outline.lengthBytes))
  const names = slices.map(({ pieces }) => (pieces[0] === undefined ? NOTHING : fromHex(pieces[0])))
  return concat(MARK, sizes, lockOf(outline, kind, key), ...outline.units.map(fromHex), ...names)
}

/** The pieces that it names, whoever reads it; null when it is no tree. */
export function piecesOf(tree: Uint8Array): readonly (Digest | null)[] | null {
  const parts = partsOf(tree)
  return parts === null ? null : parts.names.map((name) => (equalBytes(name, NOTHING) ? null : toDigest(name)))
}

/** Null when the kind, root, number of slices or key is another one. */
export function openTree(tree: Uint8Array, kind: ObjectKind, root: Digest, slices: number, key: EpochKey): Outline | null {
  const parts = partsOf(tree)
  if (parts === null || parts.names.length !== slices) return null
  const outline = outlineFrom(parts.lengthBytes, parts.units.map(toDigest), sha256)
  return outline.root === root && equalBytes(parts.lock, lockOf(outline, kind, key)) ? outline : null
}

function partsOf(tree: Uint8Array) {
  if (tree.length < HEAD_BYTES || !equalBytes(tree.subarray(0, 4), MARK)) return null
  const view = new DataView(tree.buffer, tree.byteOffset)
  const slices = view.getUint16(4)
  const lengthBytes = Number(view.getBigUint64(6))
  const units = unitCount(lengthBytes)
  if (tree.length !== HEAD_BYTES + 32 * (units + slices)) return null
  const hashes = Array.from({ length: units + slices }, (_, i) => tree.subarray(HEAD_BYTES + 32 * i, HEAD_BYTES + 32 * (i + 1)))
  return { lengthBytes, lock: tree.subarray(14, HEAD_BYTES), units: hashes.slice(0, units), names: hashes.slice(units) }
}

const lockOf = (outline: Outline, kind: ObjectKind, key: EpochKey): Uint8Array =>
  sha256(utf8(`outline ${kind} ${outline.lengthBytes} `), fromHex(outline.root), key)
