import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { DAG_PB, RAW, SHA2_256 } from './cids.ts'

/** A block of a file's bytes. */
export interface Leaf {
  readonly cid: CID
  /** As the tree says; whoever reads the block checks. */
  readonly sizeBytes: number
}

export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** A dag-pb node's links; Helia's codec gives and takes them. */
export interface DagNode {
  readonly Data?: Uint8Array | undefined
  readonly Links: readonly { readonly Hash: CID; readonly Tsize?: number | undefined; readonly Name?: string | undefined }[]
}

/** dag-pb, from Helia. */
export interface DagCodec {
  encode(node: DagNode): Uint8Array
  /** @throws when the bytes are no dag-pb */
  decode(bytes: Uint8Array): DagNode
}

interface Child extends Leaf {
  /** Of the file's part under it. */
  readonly fileBytes: number
}

export const MOST_LINKS = 1024

export const leafOf = (block: Uint8Array): Leaf => ({ cid: cidOf(block, RAW), sizeBytes: block.length })

/**
 * The nodes of a UnixFS file over these leaves, children before parents, the root last: 1,024 links a node, balanced, and a root over a single
 * leaf too. The same as Helia's own importer makes of blocks cut so; unlike it, this needs no bytes.
 * @see https://specs.ipfs.tech/unixfs/
 */
export function treeOver(leaves: readonly Leaf[], codec: DagCodec): Block[] {
  const blocks: Block[] = []
  // The importer links to no empty leaf.
  let level: readonly Child[] = leaves.filter(({ sizeBytes }) => sizeBytes > 0).map((leaf) => ({ ...leaf, fileBytes: leaf.sizeBytes }))
  do {
    const above: Child[] = []
    for (let at = 0; at === 0 || at < level.length; at += MOST_LINKS) above.push(nodeOver(level.slice(at, at + MOST_LINKS), codec, blocks))
    level = above
  } while (level.length > 1)
  return blocks
}

function nodeOver(children: readonly Child[], codec: DagCodec, blocks: Block[]): Child {
  const sum = (of: (child: Child) => number) => children.reduce((total, child) => total + of(child), 0)
  const fileBytes = sum((child) => child.fileBytes)
  const Data = fileHead(
    fileBytes,
    children.map((child) => child.fileBytes),
  )
  const bytes = codec.encode({ Data, Links: children.map(({ cid, sizeBytes }) => ({ Name: '', Hash: cid, Tsize: sizeBytes })) })
  const block = { cid: cidOf(bytes, DAG_PB), bytes }
  blocks.push(block)
  return { cid: block.cid, sizeBytes: bytes.length + sum((child) => child.sizeBytes), fileBytes }
}

/** UnixFS's protobuf: Type = 1 (file 2), filesize = 3, blocksizes = 4. */
function fileHead(fileBytes: number, blockSizes: readonly number[]): Uint8Array {
  const bytes: number[] = []
  const put = (field: number, value: number) => bytes.push(field << 3, ...varint(value))
  put(1, 2)
  put(3, fileBytes)
  for (const size of blockSizes) put(4, size)
  return Uint8Array.from(bytes)
}

/** Least significant seven bits first. */
function varint(value: number): number[] {
  const bytes: number[] = []
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80)
  return [...bytes, value]
}

const cidOf = (bytes: Uint8Array, codec: number): CID => CID.createV1(codec, create(SHA2_256, createHash('sha256').update(bytes).digest()))
