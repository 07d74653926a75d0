import { CID } from 'multiformats/cid'
import { RotaError } from '#base/errors.ts'
import { DAG_PB, digestOf, isOurs, RAW } from './cids.ts'
import { MAX_BLOCK_BYTES } from './sealing.ts'
import { type DagCodec, type DagNode, type Leaf, MOST_LINKS, treeOver } from './unixfs-tree.ts'

/** Of a plaintext. Keeps whoever made the tree from making a reader hold more; 100 million float32 weights are 400 MB. */
export const MAX_OBJECT_BYTES = 1024 ** 3
/** 1 GiB in pieces, a shorter one for each of 256 slices, and the outline: two levels of nodes. */
const MOST_LEAVES = 1024 + 256 + 1
const DEEPEST = 2

export interface DagReader {
  /** @throws when the block is not here or cannot be had */
  node(cid: CID): Promise<Uint8Array>
  readonly codec: DagCodec
}

/**
 * The leaves of an object in order.
 * @throws ROTA-4011 when it is no tree that this store makes, ROTA-4014 when it is too large
 */
export async function leavesOf(root: CID, reader: DagReader): Promise<Leaf[]> {
  const leaves = await leavesUnder(root, root, reader, 1)
  if (leaves.length > MOST_LEAVES) throw new RotaError('ROTA-4014', { size: totalBytes(leaves), limit: MAX_OBJECT_BYTES })
  // Made again from its leaves, a tree of ours is the same byte by byte.
  if (!treeOver(leaves, reader.codec).at(-1)?.cid.equals(root)) throw strange(root)
  return leaves
}

export const totalBytes = (leaves: readonly Leaf[]): number => leaves.reduce((sum, leaf) => sum + leaf.sizeBytes, 0)

async function leavesUnder(node: CID, root: CID, reader: DagReader, depth: number): Promise<Leaf[]> {
  const leaves: Leaf[] = []
  for (const { Hash, Tsize } of linksOf(node, root, await reader.node(node), reader.codec)) {
    // Of another copy of the class, when another copy of multiformats made it.
    const cid = CID.asCID(Hash)
    if (cid === null || !isOurs(cid)) throw strange(root)
    if (cid.code === RAW) leaves.push({ cid, sizeBytes: sizeOf(Tsize, root) })
    else if (depth < DEEPEST) leaves.push(...(await leavesUnder(cid, root, reader, depth + 1)))
    else throw strange(root)
    if (leaves.length > MOST_LEAVES) break
  }
  return leaves
}

function linksOf(node: CID, root: CID, bytes: Uint8Array, codec: DagCodec): DagNode['Links'] {
  try {
    const { Links } = node.code === DAG_PB ? codec.decode(bytes) : { Links: null }
    if (Links !== null && Links.length <= MOST_LINKS) return Links
  } catch {
    // falls through: not dag-pb at all
  }
  throw strange(root)
}

function sizeOf(size: number | undefined, root: CID): number {
  if (size === undefined || !Number.isSafeInteger(size) || size < 0 || size > MAX_BLOCK_BYTES) throw strange(root)
  return size
}

const strange = (root: CID) => new RotaError('ROTA-4011', { cid: digestOf(root), why: 'its tree is not one that this store makes' })
