import { type Sha256, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'

/**
 * Merkle roots of vectors, sums and models: SHA-256, leaves of 1 KiB of which the last is padded with zeros.
 *
 *   leaf = H(0x00 ‖ 1024 bytes)      node = H(0x01 ‖ left ‖ right)
 *
 * A tree of n leaves splits at the largest power of two below n, which is the same as promoting the odd last node of each level.
 * The root does not bind the length: whoever checks one knows the length from the stage's layout or from the encoding.
 * @see RFC 6962, section 2.1
 */
export const LEAF_BYTES = 1024

export const leafCount = (lengthBytes: number): number => Math.ceil(lengthBytes / LEAF_BYTES)

/** The root over all bytes; of no bytes, SHA-256 of nothing as in RFC 6962. Holds one leaf and a hash a level. */
export function merkleRoot(bytes: Uint8Array, sha256: Sha256): Digest {
  const leaves = leafCount(bytes.length)
  return toDigest(leaves === 0 ? sha256(new Uint8Array(0)) : subtree(bytes, 0, leaves, hasher(sha256)))
}

/** Siblings from the leaf up. @throws ROTA-2109 when there is no such leaf */
export function merklePath(bytes: Uint8Array, leaf: number, sha256: Sha256): Digest[] {
  const leaves = leafCount(bytes.length)
  if (!Number.isInteger(leaf) || leaf < 0 || leaf >= leaves) throw new RotaError('ROTA-2109', { leaf, leaves })
  const hash = hasher(sha256)
  const path: Digest[] = []
  for (let from = 0, to = leaves; to - from > 1; ) {
    const middle = from + splitOf(to - from)
    const left = leaf < middle
    path.unshift(toDigest(left ? subtree(bytes, middle, to, hash) : subtree(bytes, from, middle, hash)))
    if (left) to = middle
    else from = middle
  }
  return path
}

/** Whether `leafBytes` (up to 1 KiB, padded here) is leaf `leaf` of the tree of `leaves` leaves under `root`. */
export function verifyPath(leafBytes: Uint8Array, leaf: number, leaves: number, path: readonly Digest[], root: Digest, sha256: Sha256): boolean {
  if (leafBytes.length > LEAF_BYTES || !Number.isInteger(leaf) || leaf < 0 || leaf >= leaves) return false
  const sides = sidesOf(leaf, leaves)
  if (sides.length !== path.length) return false
  const hash = hasher(sha256)
  let here = hash.leaf(leafBytes, 0)
  path.forEach((sibling, level) => {
    const other = new Uint8Array(Buffer.from(sibling.slice(2), 'hex'))
    here = sides[level] === 'left' ? hash.node(here, other) : hash.node(other, here)
  })
  return toDigest(here) === root
}

/** H(0x01 ‖ left ‖ right), of two hashes of 32 bytes. */
export const merkleNode = (left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array => hasher(sha256).node(left, right)

/** On which side of each node the leaf lies, from the leaf up. */
function sidesOf(leaf: number, leaves: number): ('left' | 'right')[] {
  const sides: ('left' | 'right')[] = []
  for (let from = 0, to = leaves; to - from > 1; ) {
    const middle = from + splitOf(to - from)
    const left = leaf < middle
    sides.unshift(left ? 'left' : 'right')
    if (left) to = middle
    else from = middle
  }
  return sides
}

/** Largest power of two below n, n ≥ 2. */
function splitOf(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

interface Hasher {
  leaf(bytes: Uint8Array, start: number): Uint8Array
  node(left: Uint8Array, right: Uint8Array): Uint8Array
}

/** One scratch buffer for leaves and one for nodes: a single part a call, no concatenation, no garbage but the hashes. */
function hasher(sha256: Sha256): Hasher {
  const leafScratch = new Uint8Array(1 + LEAF_BYTES)
  const nodeScratch = new Uint8Array(65)
  nodeScratch[0] = 1
  return {
    leaf(bytes, start) {
      const end = Math.min(start + LEAF_BYTES, bytes.length)
      leafScratch.set(bytes.subarray(start, end), 1)
      leafScratch.fill(0, 1 + end - start)
      return sha256(leafScratch)
    },
    node(left, right) {
      nodeScratch.set(left, 1)
      nodeScratch.set(right, 33)
      return sha256(nodeScratch)
    },
  }
}

function subtree(bytes: Uint8Array, from: number, to: number, hash: Hasher): Uint8Array {
  if (to - from === 1) return hash.leaf(bytes, from * LEAF_BYTES)
  const middle = from + splitOf(to - from)
  return hash.node(subtree(bytes, from, middle, hash), subtree(bytes, middle, to, hash))
}
