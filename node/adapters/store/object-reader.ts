import type { SessionBlockstore } from 'helia'
import type { CID } from 'multiformats/cid'
import { isRotaError, RotaError } from '#base/errors.ts'
import { giveBack } from './block-buffers.ts'
import type { BlockFiles } from './block-files.ts'
import { digestOf } from './cids.ts'
import { type DagNode, type Leaf, leavesOf, MAX_OBJECT_BYTES, totalBytes } from './dag.ts'
import { PIECE_BYTES } from './sealing.ts'

export interface ObjectReaderParts {
  readonly root: CID
  readonly files: BlockFiles
  readonly decode: (bytes: Uint8Array) => DagNode
  /** Where blocks come from that are not on disk; null: nowhere. */
  readonly session: SessionBlockstore | null
  readonly signal: AbortSignal
}

/** Leaves under way at once in one object: hides the latency of disk and line, and holds as many MiB. */
const WINDOW = 4

/** Reads one object block by block, from disk and else from members. */
export class ObjectReader {
  readonly #parts: ObjectReaderParts
  /** Leaves known not to be on disk: not looked for again. */
  readonly #missing = new Set<string>()
  #looked = false

  constructor(parts: ObjectReaderParts) {
    this.#parts = parts
  }

  /** Whether every block is on disk; asks nobody. */
  async isWhole(): Promise<boolean> {
    const { root, files, decode } = this.#parts
    const node = async (cid: CID): Promise<Uint8Array> => {
      const block = await files.read(cid, true)
      if (block === null) throw new RotaError('ROTA-4010', { cid: digestOf(root) })
      return block
    }
    try {
      await this.#look(await leavesOf(root, { node, decode }))
      return this.#missing.size === 0
    } catch {
      return false
    }
  }

  /** @throws ROTA-4010, ROTA-4011, ROTA-4014, ROTA-4015 */
  async leaves(): Promise<Leaf[]> {
    const leaves = await leavesOf(this.#parts.root, { node: (cid) => this.block(cid, true), decode: this.#parts.decode })
    await this.#look(leaves)
    return leaves
  }

  /** Calls `take` with each leaf's block as it arrives, several under way; the block is `take`'s only until it is done. @throws the first error */
  async each(leaves: readonly Leaf[], take: (block: Uint8Array, index: number, leaf: Leaf) => Promise<void> | void, checked: boolean): Promise<void> {
    const queue = leaves.entries()
    let failed = false
    const work = async () => {
      for (const [index, leaf] of queue) {
        const block = await this.block(leaf.cid, checked)
        await take(block, index, leaf)
        giveBack(block)
        if (failed) return
      }
    }
    const fail = (error: unknown) => {
      failed = true
      throw error
    }
    await Promise.all(Array.from({ length: Math.min(WINDOW, leaves.length) }, () => work().catch(fail)))
  }

  /** Brings every leaf onto this site's disk. */
  fetch(leaves: readonly Leaf[]): Promise<void> {
    return this.each(
      leaves.filter((leaf) => this.#missing.has(leaf.cid.toString())),
      () => undefined,
      false,
    )
  }

  async #look(leaves: readonly Leaf[]): Promise<void> {
    if (this.#looked) return
    this.#looked = true
    for (const { cid } of leaves) if (!(await this.#parts.files.has(cid))) this.#missing.add(cid.toString())
  }

  /** All bytes one after another, every hash checked. @throws ROTA-4014 above `limitBytes`, and as `leaves` and `block` */
  async bytes(limitBytes = MAX_OBJECT_BYTES): Promise<Uint8Array> {
    const leaves = await this.leaves()
    const size = totalBytes(leaves)
    if (size > limitBytes) throw new RotaError('ROTA-4014', { size, limit: limitBytes })
    const bytes = new Uint8Array(size)
    const place = (block: Uint8Array, index: number, leaf: Leaf) => {
      if (block.length !== leaf.sizeBytes || (index < leaves.length - 1 && block.length !== PIECE_BYTES)) {
        throw new RotaError('ROTA-4011', { cid: digestOf(this.#parts.root), why: `block ${index} has another length` })
      }
      bytes.set(block, index * PIECE_BYTES)
    }
    await this.each(leaves, place, true)
    return bytes
  }

  /**
   * @param checked whether the hash of a block on disk is checked first (0.7 ms a MiB); one that is wrong is dropped and fetched
   * @throws ROTA-4010 when nobody has it, ROTA-4013, ROTA-4015, or the signal's reason
   */
  async block(cid: CID, checked: boolean): Promise<Uint8Array> {
    const { files, session, signal, root } = this.#parts
    signal.throwIfAborted()
    const local = this.#missing.delete(cid.toString()) ? null : await files.read(cid, checked)
    if (local !== null) return local
    try {
      for await (const block of session?.get(cid, { signal }) ?? []) return block
    } catch (error) {
      signal.throwIfAborted()
      throw named(error, root)
    }
    throw new RotaError('ROTA-4010', { cid: digestOf(root) })
  }
}

/** Helia wraps what the broker threw; the object is named, not the block. */
function named(error: unknown, root: CID): unknown {
  const inner = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors.find((each) => isRotaError(each)) : error
  if (!isRotaError(inner)) return new RotaError('ROTA-4010', { cid: digestOf(root) }, error)
  return 'cid' in inner.details ? new RotaError(inner.code, { ...inner.details, cid: digestOf(root) }, inner) : inner
}
