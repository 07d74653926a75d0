import { type Digest, isDigest } from '#base/ids.ts'
import { type BlockSource, findBlock } from './block-source.ts'
import { asDigest } from './digest.ts'
import { type Field, readFields, readVarint } from './protobuf.ts'

/** A file of UnixFS, put together from its blocks. What is wrong with it is said, not thrown: an auditor looks at damaged objects too. */
export interface StoredObject {
  /** In the length that its root block declares, zeros where a block is missing; null when there is nothing to read. */
  readonly bytes: Uint8Array | null
  /** Blocks that hold its bytes, in order, as far as its tree can be followed. */
  readonly leaves: readonly Digest[]
  /** How long each of them should be, as its tree says. */
  readonly leafSizes: readonly number[]
  /** Blocks that no source has. */
  readonly missing: readonly Digest[]
  /** Copies whose bytes do not hash to their name; `mended` when another source has a sound one. */
  readonly damaged: readonly DamagedBlock[]
  /** Its blocks hash to their names, but form no file. */
  readonly malformed: boolean
}

export interface DamagedBlock {
  readonly block: Digest
  readonly source: string
  readonly mended: boolean
}

/** No object of a study is longer: keeps a forged root from asking for all memory. */
const LONGEST_BYTES = 2 ** 31
const DEEPEST = 4
/** 2 GiB in pieces of 1 MiB, and the nodes above them. */
const MOST_BLOCKS = 4096

/** Follows a CID (its SHA-256 digest; the root is always dag-pb) through all its blocks. */
export async function readStored(sources: readonly BlockSource[], cid: Digest): Promise<StoredObject> {
  const walk = new Walk(sources)
  await walk.visit({ block: cid, raw: false }, 0, null, 0)
  const { bytes, leaves, leafSizes, missing, damaged, malformed } = walk
  return { bytes: malformed ? null : bytes, leaves, leafSizes, missing, damaged, malformed }
}

class Walk {
  bytes: Uint8Array | null = null
  malformed = false
  readonly leaves: Digest[] = []
  readonly leafSizes: number[] = []
  readonly missing: Digest[] = []
  readonly damaged: DamagedBlock[] = []
  readonly #sources: readonly BlockSource[]
  #visits = 0

  constructor(sources: readonly BlockSource[]) {
    this.#sources = sources
  }

  /** @param size that the parent declares for this part of the file; null at the root */
  async visit(link: Link, offset: number, size: number | null, depth: number): Promise<void> {
    if (++this.#visits > MOST_BLOCKS || depth > DEEPEST) {
      this.malformed = true
      return
    }
    if (link.raw) {
      this.leaves.push(link.block)
      this.leafSizes.push(size ?? 0)
    }
    const found = await findBlock(this.#sources, link.block)
    if (found === null) {
      this.missing.push(link.block)
      return
    }
    for (const source of found.damagedAt) this.damaged.push({ block: link.block, source, mended: found.sound })
    const node = link.raw ? { data: found.bytes, size: found.bytes.length, links: [], sizes: [] } : readNode(found.bytes)
    // Of a damaged block nothing is to be expected; a sound one that does not fit was made so.
    if (found.sound && (node === null || (size !== null && size !== node.size))) this.malformed = true
    else if (node !== null) await this.#follow(node, offset, size, depth)
  }

  async #follow(node: FileNode, offset: number, size: number | null, depth: number): Promise<void> {
    this.bytes ??= new Uint8Array(node.size)
    // A damaged block may be longer than its place: what fits is kept.
    const room = Math.max(0, Math.min(size ?? node.data.length, this.bytes.length - offset))
    this.bytes.set(node.data.subarray(0, room), offset)
    let at = offset + node.data.length
    for (const [i, child] of node.links.entries()) {
      const length = node.sizes[i] as number
      await this.visit(child, at, length, depth + 1)
      at += length
    }
  }
}

interface Link {
  readonly block: Digest
  readonly raw: boolean
}

interface FileNode {
  readonly data: Uint8Array
  readonly size: number
  readonly links: readonly Link[]
  readonly sizes: readonly number[]
}

/**
 * dag-pb: Data = 1, Links = 2 { Hash = 1, Name = 2, Tsize = 3 }. UnixFS inside Data: Type = 1 (file 2), Data = 2, filesize = 3, blocksizes = 4.
 * @see https://specs.ipfs.tech/unixfs/
 */
function readNode(block: Uint8Array): FileNode | null {
  const outer = readFields(block)
  const inner = outer && readFields(bytesOf(outer, 1) ?? new Uint8Array(0))
  if (!outer || !inner || varints(inner, 1)[0] !== 2) return null
  const links = outer.filter((f) => f.number === 2).map((f) => ('bytes' in f ? readLink(f.bytes) : null))
  const sizes = varints(inner, 4)
  const data = bytesOf(inner, 2) ?? new Uint8Array(0)
  const size = data.length + sizes.reduce((sum, n) => sum + n, 0)
  if (links.length !== sizes.length || links.includes(null) || size > LONGEST_BYTES || (varints(inner, 3)[0] ?? size) !== size) return null
  return { data, size, links: links as Link[], sizes }
}

/** CIDv1: version 1, codec (raw 0x55 or dag-pb 0x70), SHA-256 multihash. */
function readLink(link: Uint8Array): Link | null {
  const cid = bytesOf(readFields(link) ?? [], 1)
  if (cid === undefined || cid.length !== 36 || cid[0] !== 1 || cid[2] !== 0x12 || cid[3] !== 32) return null
  const codec = readVarint(cid, 1)?.value
  const block = asDigest(cid.subarray(4))
  return isDigest(block) && (codec === 0x55 || codec === 0x70) ? { block, raw: codec === 0x55 } : null
}

function bytesOf(fields: readonly Field[], number: number): Uint8Array | undefined {
  for (const field of fields) if (field.number === number && 'bytes' in field) return field.bytes
  return undefined
}

const varints = (fields: readonly Field[], number: number): number[] => fields.flatMap((f) => (f.number === number && 'varint' in f ? [f.varint] : []))
