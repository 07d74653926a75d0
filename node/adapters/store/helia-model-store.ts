import { CID } from 'multiformats/cid'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { type Outline, rootOfUnits } from '#core/commit/outline.ts'
import { slicesOf } from '#core/commit/slices.ts'
import type { Log } from '#ports/host.ts'
import type { EpochKey, ModelStore, ObjectKind, ObjectRef, SealedSlice, Wanted } from '#ports/model-store.ts'
import { type Beyond, MemberBlockBroker } from './block-broker.ts'
import { BlockClient } from './block-client.ts'
import { BlockFiles, type PutOptions } from './block-files.ts'
import { type BlockNetwork, NO_PROGRESS_MS } from './block-network.ts'
import { createBlockServer } from './block-server.ts'
import { BLOCK_PROTOCOL } from './block-wire.ts'
import { CheckedPieces } from './checked-pieces.ts'
import { digestOf, isOurs, rootCid } from './cids.ts'
import { FetchSessions, type Providers } from './fetch-sessions.ts'
import { type Loaded, loadHelia } from './load-helia.ts'
import { blockSizes, layoutOfSealed } from './object-layout.ts'
import { ObjectReader, type Take } from './object-reader.ts'
import { ObjectWriter } from './object-writer.ts'
import { sha256 } from './sha256.ts'
import { Slots } from './slots.ts'
import { TreeReader } from './tree-reader.ts'
import { type Block, leafOf, treeOver } from './unixfs-tree.ts'

export interface ModelStoreOptions {
  /** Folder of the blocks; made when missing. */
  readonly dir: string
  readonly network: BlockNetwork
  readonly log: Log
  /** Default 30 s. */
  readonly noProgressMs?: number
  /** Asked for blocks that no member has. */
  readonly beyond?: Beyond
}

const PULLS_AT_ONCE = 4
const NEVER = new AbortController().signal

/** Serves its blocks to members from then on. @throws ROTA-4013 when the folder cannot be used */
export async function startModelStore(options: ModelStoreOptions): Promise<HeliaModelStore> {
  const files = new BlockFiles(options.dir)
  await files.open()
  const store = new HeliaModelStore(files, options)
  await store.start()
  return store
}

/**
 * Objects as UnixFS trees in a light Helia: its blockstore is the node's folder, its only block broker asks members over /rota/block/1. It has no libp2p of its
 * own: `withLibp2pLight` would start a second host beside the one that gossip uses.
 */
export class HeliaModelStore implements ModelStore {
  readonly traffic = { bytesIn: 0, bytesOut: 0 }
  readonly #files: BlockFiles
  readonly #options: ModelStoreOptions
  readonly #client: BlockClient
  readonly #pulls = new Slots(PULLS_AT_ONCE)
  readonly #checked = new CheckedPieces()
  #loaded: Promise<Loaded> | null = null

  constructor(files: BlockFiles, options: ModelStoreOptions) {
    this.#files = files
    this.#options = options
    this.#client = new BlockClient({ network: options.network, traffic: this.traffic, noProgressMs: options.noProgressMs ?? NO_PROGRESS_MS })
  }

  async start(): Promise<void> {
    const { network, noProgressMs = NO_PROGRESS_MS } = this.#options
    await network.serve(BLOCK_PROTOCOL, createBlockServer({ read: (cid, checked) => this.#files.read(cid, checked), traffic: this.traffic, noProgressMs }))
  }

  async stop(): Promise<void> {
    await this.#options.network.unserve(BLOCK_PROTOCOL)
    await this.#client.stop()
    const loaded = await this.#loaded?.catch(() => null)
    await loaded?.helia.stop()
  }

  async put(plaintext: Uint8Array, outline: Outline, kind: ObjectKind, key: EpochKey, signal: AbortSignal, slices = 1): Promise<ObjectRef> {
    const sealed: SealedSlice[] = []
    for (const { start, end, firstUnit, endUnit } of slicesOf(outline.lengthBytes, slices)) {
      const root = rootOfUnits(outline.units.slice(firstUnit, endUnit), sha256)
      sealed.push(await this.putSlice(plaintext.subarray(start, end), root, kind, key, signal))
    }
    return this.join(sealed, outline, kind, key, signal)
  }

  async putSlice(plaintext: Uint8Array, root: Digest, kind: ObjectKind, key: EpochKey, signal: AbortSignal): Promise<SealedSlice> {
    return (await this.#writer()).slice(plaintext, root, kind, key, signal)
  }

  async join(slices: readonly SealedSlice[], outline: Outline, kind: ObjectKind, key: EpochKey, signal: AbortSignal): Promise<ObjectRef> {
    signal.throwIfAborted()
    const cid = await (await this.#writer()).join(slices, outline, kind, key)
    return { cid, kind, root: outline.root, slices: slices.length }
  }

  async putPlain(bytes: Uint8Array, signal: AbortSignal): Promise<Digest> {
    return (await this.#writer()).plain(bytes, signal)
  }

  async get(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers: readonly SiteId[] = []): Promise<Uint8Array> {
    return this.#object(ref, key, signal, { all: providers }, undefined, (object) => object.whole())
  }

  async outline(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers: readonly SiteId[] = []): Promise<Outline> {
    return this.#object(ref, key, signal, { all: providers }, [], (object) => object.outline())
  }

  async read(ref: ObjectRef, key: EpochKey, signal: AbortSignal, { slices, providers }: Wanted, take: Take): Promise<Outline> {
    const wanted = slices ?? Array.from({ length: ref.slices ?? 1 }, (_, slice) => slice)
    const from = providers === undefined ? { all: [] } : { all: [...new Set(wanted.flatMap(providers))], slice: providers }
    return this.#object(ref, key, signal, from, slices, (object) => object.read(slices, take))
  }

  async getPlain(cid: Digest, signal: AbortSignal, providers: readonly SiteId[] = []): Promise<Uint8Array> {
    return this.#tree(cid, signal, { all: providers }, async (tree) => {
      const read = () => tree.plainBytes()
      return (await tree.isWhole()) ? read() : this.#pulls.use(read, signal)
    })
  }

  async putSealed(sealed: Uint8Array, cid: Digest): Promise<void> {
    if (await this.has(cid)) return
    const layout = layoutOfSealed(sealed.length)
    if (layout === null) throw new RotaError('ROTA-4012', { cid })
    let end = 0
    const leaves = blockSizes(layout).map((size) => {
      const bytes = sealed.subarray(end, (end += size))
      return { ...leafOf(bytes), bytes }
    })
    const blocks = [...leaves, ...treeOver(leaves, (await this.#load()).codec)]
    if (digestOf((blocks.at(-1) as Block).cid) !== cid) throw new RotaError('ROTA-4012', { cid })
    for (const block of blocks) await this.#files.put(block.cid, block.bytes)
  }

  async getSealed(cid: Digest, limitBytes: number): Promise<Uint8Array | null> {
    try {
      return await (await this.#local(cid)).bytes(limitBytes)
    } catch (error) {
      if (isRotaError(error)) return null
      throw error
    }
  }

  /** One block on this site's disk by its CID as text, its hash checked; null when it is not here. */
  async getBlock(cidText: string): Promise<Uint8Array | null> {
    const cid = parsed(cidText)
    return cid !== null && isOurs(cid) ? this.#files.read(cid, true) : null
  }

  async has(cid: Digest): Promise<boolean> {
    return (await this.#local(cid)).isWhole()
  }

  async drop(cid: Digest): Promise<void> {
    const tree = await this.#local(cid)
    for (const leaf of (await tree.localLeaves()) ?? []) await this.#files.delete(leaf.cid)
    // The nodes last, and the root last of them: without it nobody would know the leaves that a crash left behind.
    for (const node of tree.nodes.toReversed()) await this.#files.delete(node)
  }

  /** Where all that is wanted is on disk: read at once. Else one of a few pulls at a time. */
  #object<T>(
    ref: ObjectRef,
    key: EpochKey,
    signal: AbortSignal,
    providers: Providers,
    slices: readonly number[] | undefined,
    use: (object: ObjectReader) => Promise<T>,
  ): Promise<T> {
    return this.#tree(ref.cid, signal, providers, async (tree) => {
      const object = new ObjectReader(tree, ref, key, this.#checked)
      return (await object.isHere(slices)) ? use(object) : this.#pulls.use(() => use(object), signal)
    })
  }

  async #tree<T>(cid: Digest, signal: AbortSignal, providers: Providers, use: (tree: TreeReader) => Promise<T>): Promise<T> {
    const { helia, codec } = await this.#load()
    const sessions = new FetchSessions(helia, rootCid(cid), providers)
    try {
      return await use(new TreeReader({ root: rootCid(cid), files: this.#files, codec, sessions, signal }))
    } finally {
      sessions.close()
    }
  }

  async #local(cid: Digest): Promise<TreeReader> {
    return new TreeReader({ root: rootCid(cid), files: this.#files, codec: (await this.#load()).codec, sessions: null, signal: NEVER })
  }

  async #writer(): Promise<ObjectWriter> {
    const { helia, codec } = await this.#load()
    const put = (cid: CID, bytes: Uint8Array, options: PutOptions) => helia.blockstore.put(cid, bytes, options)
    return new ObjectWriter(put, codec, this.#checked)
  }

  #load(): Promise<Loaded> {
    this.#loaded ??= loadHelia(this.#files, new MemberBlockBroker(this.#client, this.#options.log, this.#options.beyond))
    return this.#loaded
  }
}

function parsed(text: string): CID | null {
  try {
    return CID.parse(text)
  } catch {
    return null
  }
}
