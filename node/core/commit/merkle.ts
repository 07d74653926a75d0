import { concat, type Sha256, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { LANE_HASHES, type Lanes, lanes } from './sha256-lanes.ts'

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
  return toDigest(bytes.length === 0 ? sha256(new Uint8Array(0)) : subtree(bytes, 0, leafCount(bytes.length), sha256))
}

/** Siblings from the leaf up. @throws ROTA-2109 when there is no such leaf */
export function merklePath(bytes: Uint8Array, leaf: number, sha256: Sha256): Digest[] {
  const leaves = leafCount(bytes.length)
  if (!Number.isInteger(leaf) || leaf < 0 || leaf >= leaves) throw new RotaError('ROTA-2109', { leaf, leaves })
  const path: Digest[] = []
  for (let from = 0, to = leaves; to - from > 1; ) {
    const middle = from + splitOf(to - from)
    const left = leaf < middle
    path.unshift(toDigest(left ? subtree(bytes, middle, to, sha256) : subtree(bytes, from, middle, sha256)))
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
  let here = subtree(leafBytes, 0, 1, sha256)
  path.forEach((sibling, level) => {
    const other = new Uint8Array(Buffer.from(sibling.slice(2), 'hex'))
    here = sides[level] === 'left' ? merkleNode(here, other, sha256) : merkleNode(other, here, sha256)
  })
  return toDigest(here) === root
}

/** H(0x01 ‖ left ‖ right), of two hashes of 32 bytes. */
export const merkleNode = (left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array => sha256(concat(NODE, left, right))

const NODE = Uint8Array.of(1)

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

type Into = NonNullable<Sha256['into']>
const UNIT_LEVEL = Math.log2(LANE_HASHES)

/** The root over leaves `from` to `to`, as a counter counts: what is full goes up as a half of the next node. */
function subtree(bytes: Uint8Array, from: number, to: number, sha256: Sha256): Uint8Array {
  const into: Into = sha256.into ?? ((part, target, at) => void target.set(sha256(part), at))
  const wide = sha256.into === undefined || to - from < LANE_HASHES ? null : lanes()
  let i = 0
  if (wide !== null) for (; i + LANE_HASHES <= to - from; i += LANE_HASHES) unitOf(bytes, from + i, i / LANE_HASHES, wide, into)
  for (; i < to - from; i++) {
    into(leafAt(bytes, from + i), nodeAt(0), i & 1 ? RIGHT : LEFT)
    goUp(0, i, into)
  }
  return joined(to - from, into)
}

/** The i-th of 64 leaves that begin at `from`: all nodes over them at once. They are copied together; a leaf's 0x00 goes where the one before it ended. */
function unitOf(bytes: Uint8Array, from: number, i: number, { hashes, root }: Lanes, into: Into): void {
  const part = bytes.subarray(from * LEAF_BYTES, (from + LANE_HASHES) * LEAF_BYTES)
  unitScratch.set(part, 1)
  unitScratch.fill(0, 1 + part.length)
  leavesOfUnit.forEach((leaf, at) => {
    leaf[0] = 0
    into(leaf, hashes, 32 * at)
  })
  root()
  nodeAt(UNIT_LEVEL).set(hashes.subarray(0, 32), i & 1 ? RIGHT : LEFT)
  goUp(UNIT_LEVEL, i, into)
}

/** Of `level` the i-th half of a node stands: where it is the second, the node goes up, and so on. */
function goUp(level: number, i: number, into: Into): void {
  for (let rest = i, here = level; rest & 1; here++) {
    rest >>>= 1
    into(nodeAt(here), nodeAt(here + 1), rest & 1 ? RIGHT : LEFT)
  }
}

/** Of `count` leaves there stands a full subtree at each level that `count` has a bit for, on the left; the smallest is the last. */
function joined(count: number, into: Into): Uint8Array {
  const root = Buffer.alloc(32)
  let isFirst = true
  for (let level = 0; count >>> level !== 0; level++) {
    if (((count >>> level) & 1) === 0) continue
    const node = nodeAt(level)
    if (isFirst) root.set(node.subarray(LEFT, RIGHT))
    else {
      node.set(root, RIGHT)
      into(node, root, 0)
    }
    isFirst = false
  }
  return root
}

/** Used over and over: nothing is made but the root. */
const leafScratch = Buffer.alloc(1 + LEAF_BYTES)
/** A byte and 64 leaves; in `leavesOfUnit` each of them with the byte before it. */
const unitScratch = Buffer.alloc(1 + LANE_HASHES * LEAF_BYTES)
const leavesOfUnit = Array.from({ length: LANE_HASHES }, (_, leaf) => unitScratch.subarray(leaf * LEAF_BYTES, (leaf + 1) * LEAF_BYTES + 1))
/** Of each level the node that is being filled: 0x01 ‖ left ‖ right. */
const nodes: Buffer[] = []
const [LEFT, RIGHT] = [1, 33]

function leafAt(bytes: Uint8Array, leaf: number): Uint8Array {
  const part = bytes.subarray(leaf * LEAF_BYTES, (leaf + 1) * LEAF_BYTES)
  leafScratch.set(part, 1)
  if (part.length < LEAF_BYTES) leafScratch.fill(0, 1 + part.length)
  return leafScratch
}

function nodeAt(level: number): Buffer {
  const known = nodes[level]
  if (known !== undefined) return known
  const node = Buffer.alloc(65)
  node[0] = 1
  nodes[level] = node
  return node
}
