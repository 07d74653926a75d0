import { CID } from 'multiformats/cid'
import { RotaError } from '#base/errors.ts'
import { DAG_PB, digestOf, isOurs, RAW } from './cids.ts'
import { PIECE_BYTES } from './sealing.ts'

/** Keeps whoever made the tree from making a reader hold more; 100 million float32 weights are 400 MB. */
export const MAX_OBJECT_BYTES = 1024 ** 3
/** 1,024 links a node: two levels of nodes hold 1 TiB. */
const DEEPEST = 2

export interface Leaf {
  readonly cid: CID
  /** As the tree says; whoever reads the block checks. */
  readonly sizeBytes: number
}

/** A dag-pb node's links; Helia's codec gives them. */
export interface DagNode {
  readonly Links: readonly { readonly Hash: CID; readonly Tsize?: number | undefined }[]
}

export interface DagReader {
  /** @throws when the block is not here or cannot be had */
  node(cid: CID): Promise<Uint8Array>
  decode(bytes: Uint8Array): DagNode
}

/**
 * The leaves of an object in order.
 * @throws ROTA-4011 when it is no tree that this store makes, ROTA-4014 when it is too large
 */
export async function leavesOf(root: CID, reader: DagReader, depth = 1): Promise<Leaf[]> {
  const leaves: Leaf[] = []
  for (const { Hash, Tsize } of linksOf(root, await reader.node(root), reader)) {
    // Of another copy of the class, when another copy of multiformats made it.
    const cid = CID.asCID(Hash)
    if (cid === null || !isOurs(cid)) throw strange(root)
    if (cid.code === RAW) leaves.push({ cid, sizeBytes: sizeOf(Tsize, root) })
    else if (depth < DEEPEST) leaves.push(...(await leavesOf(cid, reader, depth + 1)))
    else throw strange(root)
  }
  const size = totalBytes(leaves)
  if (size > MAX_OBJECT_BYTES) throw new RotaError('ROTA-4014', { size, limit: MAX_OBJECT_BYTES })
  return leaves
}

export const totalBytes = (leaves: readonly Leaf[]): number => leaves.reduce((sum, leaf) => sum + leaf.sizeBytes, 0)

function linksOf(root: CID, bytes: Uint8Array, reader: DagReader): DagNode['Links'] {
  try {
    if (root.code === DAG_PB) return reader.decode(bytes).Links
  } catch {
    // falls through: not dag-pb at all
  }
  throw strange(root)
}

function sizeOf(size: number | undefined, root: CID): number {
  if (size === undefined || !Number.isSafeInteger(size) || size < 0 || size > PIECE_BYTES) throw strange(root)
  return size
}

const strange = (root: CID) => new RotaError('ROTA-4011', { cid: digestOf(root), why: 'its tree is not one that this store makes' })
