import type { CID } from 'multiformats/cid'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { BlockFiles } from './block-files.ts'
import { digestOf } from './cids.ts'
import { leavesOf, MAX_OBJECT_BYTES, totalBytes } from './dag.ts'
import { eachOf } from './each-of.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import { PIECE_BYTES } from './sealing.ts'
import type { DagCodec, Leaf } from './unixfs-tree.ts'

export interface TreeReaderParts {
  readonly root: CID
  readonly files: BlockFiles
  readonly codec: DagCodec
  /** Where blocks come from that are not on disk; null: nowhere. */
  readonly sessions: FetchSessions | null
  readonly signal: AbortSignal
}

/** Blocks under way at once in one object: hides the latency of disk and line, and holds as many MiB. */
export const WINDOW = 4

/** Reads the blocks of one object, from disk and else from members. */
export class TreeReader {
  readonly #parts: TreeReaderParts
  #leaves: readonly Leaf[] | null = null
  /** Of the tree as far as it was followed, the root first. */
  readonly nodes: CID[] = []

  constructor(parts: TreeReaderParts) {
    this.#parts = parts
  }

  /** The leaves, where the tree is on disk; asks nobody. */
  async localLeaves(): Promise<readonly Leaf[] | null> {
    const { root, files, codec } = this.#parts
    const node = async (cid: CID): Promise<Uint8Array> => {
      this.nodes.push(cid)
      return (await files.read(cid, true)) ?? Promise.reject(this.#nowhere())
    }
    this.#leaves ??= await leavesOf(root, { node, codec }).catch(() => null)
    return this.#leaves
  }

  /** @throws ROTA-4010, ROTA-4011, ROTA-4014, ROTA-4015 */
  async leaves(): Promise<readonly Leaf[]> {
    const { root, codec } = this.#parts
    this.#leaves ??= await leavesOf(root, { node: (cid) => this.block(cid, true), codec })
    return this.#leaves
  }

  isHere({ cid }: Leaf): Promise<boolean> {
    return this.#parts.files.has(cid)
  }

  /** Whether every block is on disk; asks nobody. */
  async isWhole(): Promise<boolean> {
    const leaves = await this.localLeaves()
    if (leaves === null) return false
    for (const leaf of leaves) if (!(await this.isHere(leaf))) return false
    return true
  }

  /** All bytes one after another, every hash checked. @throws ROTA-4014 above `limitBytes`, and as `leaves` and `block` */
  async bytes(limitBytes = MAX_OBJECT_BYTES): Promise<Uint8Array> {
    const leaves = await this.leaves()
    const size = totalBytes(leaves)
    if (size > limitBytes) throw new RotaError('ROTA-4014', { size, limit: limitBytes })
    const bytes = new Uint8Array(size)
    let end = 0
    const placed = leaves.map((leaf) => ({ leaf, start: end, end: (end += leaf.sizeBytes) }))
    await eachOf(placed, WINDOW, async ({ leaf, start }) => {
      const block = await this.block(leaf.cid, true)
      if (block.length !== leaf.sizeBytes) throw this.rejected('a block has another length')
      bytes.set(block, start)
    })
    return bytes
  }

  /** As `bytes`, of an object that is not encrypted: cut after each MiB. */
  async plainBytes(): Promise<Uint8Array> {
    const leaves = await this.leaves()
    if (leaves.slice(0, -1).some(({ sizeBytes }) => sizeBytes !== PIECE_BYTES) || (leaves.at(-1)?.sizeBytes ?? 0) > PIECE_BYTES)
      throw this.rejected('it is cut in another way')
    return this.bytes()
  }

  /**
   * @param checked whether the hash of a block on disk is checked first (0.7 ms a MiB); one that is wrong is dropped and fetched
   * @param slice that it is of; null: the tree or the outline
   * @throws ROTA-4010 when nobody has it, ROTA-4013, ROTA-4015, or the signal's reason
   */
  async block(cid: CID, checked: boolean, slice: number | null = null): Promise<Uint8Array> {
    const { files, sessions, signal, root } = this.#parts
    signal.throwIfAborted()
    const local = await files.read(cid, checked)
    if (local !== null) return local
    try {
      for await (const block of sessions?.of(slice).get(cid, { signal }) ?? []) return block
    } catch (error) {
      signal.throwIfAborted()
      throw named(error, root)
    }
    throw this.#nowhere()
  }

  rejected(why: string): RotaError {
    return new RotaError('ROTA-4011', { cid: digestOf(this.#parts.root), why })
  }

  #nowhere(): RotaError {
    return new RotaError('ROTA-4010', { cid: digestOf(this.#parts.root) })
  }
}

/** Helia wraps what the broker threw; the object is named, not the block. */
function named(error: unknown, root: CID): unknown {
  const inner = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors.find((each) => isRotaError(each)) : error
  if (!isRotaError(inner)) return new RotaError('ROTA-4010', { cid: digestOf(root) }, error)
  return 'cid' in inner.details ? new RotaError(inner.code, { ...inner.details, cid: digestOf(root) }, inner) : inner
}
