import { equalBytes, fromHex, type Sha256, toDigest } from '#base/bytes.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { LEAF_BYTES, leafCount, merkleNode, merklePath, merkleRoot } from './merkle.ts'

/** What shows the coordinator that a published sum is wrong at one leaf. */
export interface DisputeEvidence {
  readonly wordBits: 32 | 64
  /** Index of the leaf in the updates' trees, and how many leaves these have. */
  readonly leaf: number
  readonly leaves: number
  /** All of the round, in order of arrival. */
  readonly contributions: readonly { readonly site: SiteId; readonly root: Digest }[]
  /** Of each included site, in order of arrival. */
  readonly updates: readonly LeafProof[]
  readonly sum: SumProof
}

/** A leaf of 1 KiB, padded, with its siblings from below. */
export interface LeafProof {
  readonly leaf: Uint8Array
  readonly path: readonly Digest[]
}

/** What lies in the published tree at the leaf's place (a leaf's hash or a node's); or a leaf of it above that place. */
export type SumProof = { readonly found: Digest; readonly path: readonly Digest[] } | LeafProof

/**
 * The first leaf, in the true sum's tree, at whose place the published tree has something else; null when there is none: the sums are
 * the same but for zeros at the end, or nothing was published. Up to that leaf both trees have the same leaves at the same places, so
 * it has this index in both.
 */
export function firstWrongLeaf(trueSum: Uint8Array, published: Uint8Array): number | null {
  const leaves = leafCount(trueSum.length)
  const others = leafCount(published.length)
  const common = Math.min(leaves, others)
  for (let leaf = 0; leaf < common; leaf++) {
    if (leaves !== others && placeOf(leaf, leaves) !== placeOf(leaf, others)) return leaf
    if (!equalBytes(leafBytes(trueSum, leaf), leafBytes(published, leaf))) return leaf
  }
  return null
}

/** @throws ROTA-2109 when there is no such leaf */
export const leafProof = (bytes: Uint8Array, leaf: number, sha256: Sha256): LeafProof => ({
  path: merklePath(bytes, leaf, sha256),
  leaf: leafBytes(bytes, leaf),
})

/** @param leaf as firstWrongLeaf gives it @param leaves of the updates' trees */
export function sumProof(published: Uint8Array, leaf: number, leaves: number, sha256: Sha256): SumProof {
  const depth = placeOf(leaf, leaves).length
  const proof = leafProof(published, leaf, sha256)
  const below = proof.path.length - depth
  if (below < 0) return proof
  // Where the published tree goes on below the place, the node there is what is found.
  const place = placeOf(leaf, leafCount(published.length))
  let found = fromHex(merkleRoot(proof.leaf, sha256))
  for (let level = 0; level < below; level++) {
    const sibling = fromHex(proof.path[level] as Digest)
    found = place.at(-1 - level) === 'R' ? merkleNode(sibling, found, sha256) : merkleNode(found, sibling, sha256)
  }
  return { found: toDigest(found), path: proof.path.slice(below) }
}

/** One leaf, padded with zeros to 1 KiB. */
function leafBytes(bytes: Uint8Array, leaf: number): Uint8Array {
  const padded = new Uint8Array(LEAF_BYTES)
  padded.set(bytes.subarray(leaf * LEAF_BYTES, (leaf + 1) * LEAF_BYTES))
  return padded
}

/** The way from the root to a leaf, L or R a level. */
export function placeOf(leaf: number, leaves: number): string {
  let way = ''
  for (let here = leaf, last = leaves - 1; last > 0; here >>= 1, last >>= 1) {
    // A last node that is a left one has no sibling: it is promoted.
    if (here % 2 === 1) way = `R${way}`
    else if (here < last) way = `L${way}`
  }
  return way
}
