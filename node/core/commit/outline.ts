import { fromHex, type Sha256, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { merkleNode, merkleRoot } from './merkle.ts'

/**
 * A vector's Merkle tree, cut off at its *units*: subtrees of 2^k leaves, the last shorter. Whoever knows the outline can check any part of
 * the vector alone, and put the root of the whole together from parts that others added up.
 *
 * A unit is 64 KiB, doubled until there are at most 1,024 (up to 1 GiB: then 1 MiB). Since a tree splits at the largest power of two below its
 * number of leaves, each unit is a node of it, and the tree over the units' roots has the root of the tree over the leaves.
 */
export interface Outline {
  readonly lengthBytes: number
  readonly root: Digest
  /** Roots of the units in order; none of an empty vector. */
  readonly units: readonly Digest[]
}

const SMALLEST_UNIT_BYTES = 64 * 1024
const MOST_UNITS = 1024

export function unitBytes(lengthBytes: number): number {
  let size = SMALLEST_UNIT_BYTES
  while (Math.ceil(lengthBytes / size) > MOST_UNITS) size *= 2
  return size
}

export const unitCount = (lengthBytes: number): number => Math.ceil(lengthBytes / unitBytes(lengthBytes))

export function outlineOf(bytes: Uint8Array, sha256: Sha256): Outline {
  const units = unitRoots(bytes, unitBytes(bytes.length), sha256)
  return { lengthBytes: bytes.length, root: rootOfUnits(units, sha256), units }
}

/** Roots of a part that begins at a unit's start. */
export function unitRoots(part: Uint8Array, unitSize: number, sha256: Sha256): Digest[] {
  const units: Digest[] = []
  for (let at = 0; at < part.length; at += unitSize) units.push(merkleRoot(part.subarray(at, at + unitSize), sha256))
  return units
}

/** @throws ROTA-2109 when a vector of that length has another number of units */
export function outlineFrom(lengthBytes: number, units: readonly Digest[], sha256: Sha256): Outline {
  const count = unitCount(lengthBytes)
  if (units.length !== count) throw new RotaError('ROTA-2109', { leaf: units.length, leaves: count })
  return { lengthBytes, root: rootOfUnits(units, sha256), units }
}

/** The root of the tree that these units make up, in order: of a whole vector, or of a slice as a tree of its own. */
export function rootOfUnits(units: readonly Digest[], sha256: Sha256): Digest {
  if (units.length === 0) return merkleRoot(new Uint8Array(0), sha256)
  let level = units.map(fromHex)
  // Promoting the odd last node of each level is the same as splitting at the largest power of two.
  while (level.length > 1) level = pairs(level, sha256)
  return toDigest(level[0] as Uint8Array)
}

function pairs(level: readonly Uint8Array[], sha256: Sha256): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i] as Uint8Array, level[i + 1]]
    above.push(right === undefined ? left : merkleNode(left, right, sha256))
  }
  return above
}
