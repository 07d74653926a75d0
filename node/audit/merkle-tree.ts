import type { Digest } from '#base/ids.ts'
import { asDigest, sha256 } from './digest.ts'

/**
 * The commitment of updates, sums and models, written a second time for the audit, level by level from the leaves up:
 * leaf = H(0 ‖ 1 KiB, the last padded with zeros), node = H(1 ‖ left ‖ right), an odd last node moves up unchanged.
 * @see RFC 6962 section 2.1; DESIGN section 4
 */
export const LEAF_BYTES = 1024

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

export const rootOf = (bytes: Uint8Array): Digest => asDigest(rootOver(leafHashes(bytes)))

/** Of the tree over leaves, or over subtrees of 2^k leaves of which only the last is smaller. */
export function rootOver(hashes: readonly Uint8Array[]): Uint8Array {
  let level = hashes
  while (level.length > 1) level = parents(level)
  return level[0] ?? sha256()
}

function leafHashes(bytes: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = []
  for (let start = 0; start < bytes.length; start += LEAF_BYTES) {
    const leaf = bytes.subarray(start, start + LEAF_BYTES)
    hashes.push(sha256(LEAF, leaf, new Uint8Array(LEAF_BYTES - leaf.length)))
  }
  return hashes
}

function parents(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i] as Uint8Array, level[i + 1]]
    above.push(right === undefined ? left : sha256(NODE, left, right))
  }
  return above
}

/** Index of the first leaf in which two byte strings differ; null when they are equal. */
export function firstDifferentLeaf(a: Uint8Array, b: Uint8Array): number | null {
  const length = Math.max(a.length, b.length)
  for (let start = 0; start < length; start += LEAF_BYTES) {
    const end = start + LEAF_BYTES
    if (Buffer.compare(a.subarray(start, end), b.subarray(start, end)) !== 0) return start / LEAF_BYTES
  }
  return null
}
