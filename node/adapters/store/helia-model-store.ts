import { CID } from 'multiformats/cid'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import type { Log } from '#ports/host.ts'
import type { EpochKey, ModelStore, ObjectKind, ObjectRef } from '#ports/model-store.ts'
import { MemberBlockBroker, type NamedProviders } from './block-broker.ts'
import { BlockClient } from './block-client.ts'
import { BlockFiles } from './block-files.ts'
import { type BlockNetwork, NO_PROGRESS_MS } from './block-network.ts'
import { createBlockServer } from './block-server.ts'
import { BLOCK_PROTOCOL } from './block-wire.ts'
import { CheckedRoots } from './checked-roots.ts'
import { digestOf, isOurs, rootCid } from './cids.ts'
import { type Leaf, MAX_OBJECT_BYTES, totalBytes } from './dag.ts'
import { type Loaded, loadHelia } from './load-helia.ts'
import { ObjectReader } from './object-reader.ts'
import { objectKey, openPiece, PIECE_BYTES, plainLength, sealPieces } from './sealing.ts'
import { sha256 } from './sha256.ts'
import { Slots } from './slots.ts'
import { ADD, blocksOf } from './unixfs-tree.ts'

export interface ModelStoreOptions {
  /** Folder of the blocks; made when missing. */
  readonly dir: string
  readonly network: BlockNetwork
  readonly log: Log
  /** Default 30 s. */
  readonly noProgressMs?: number
}

const PULLS_AT_ONCE = 4
/** Of objects above this, one is decrypted at a time: four of 40 MB in memory at once would be most of a node's. */
const LARGE_BYTES = 8 * 1024 * 1024
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
  readonly #unseals = new Slots(1)
  readonly #checked = new CheckedRoots()
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

  async put(plaintext: Uint8Array, kind: ObjectKind, root: Digest, key: EpochKey, signal: AbortSignal): Promise<ObjectRef> {
    const sealing = objectKey(key, { kind, lengthBytes: plaintext.length, root })
    const cid = await this.#add(sealPieces(plaintext, sealing), plaintext.length, signal)
    this.#checked.add(cid, sealing)
    return { cid, kind, root }
  }

  async putPlain(bytes: Uint8Array, signal: AbortSignal): Promise<Digest> {
    return this.#add([bytes], bytes.length, signal)
  }

  async get(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers: readonly SiteId[] = []): Promise<Uint8Array> {
    return this.#read(ref.cid, providers, signal, async (reader) => {
      const leaves = await reader.leaves()
      if (totalBytes(leaves) <= LARGE_BYTES) return this.#unseal(ref, key, reader, leaves)
      if (this.#unseals.busy) await reader.fetch(leaves)
      return this.#unseals.use(() => this.#unseal(ref, key, reader, leaves), signal)
    })
  }

  async getPlain(cid: Digest, signal: AbortSignal, providers: readonly SiteId[] = []): Promise<Uint8Array> {
    return this.#read(cid, providers, signal, (reader) => reader.bytes())
  }

  async putSealed(sealed: Uint8Array, cid: Digest): Promise<void> {
    if (await this.has(cid)) return
    const blocks = await blocksOf(sealed, (await this.#load()).unixfs)
    const root = blocks.at(-1)
    if (root === undefined || digestOf(root.cid) !== cid) throw new RotaError('ROTA-4012', { cid })
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

  /** The encrypted bytes on this site's disk, block by block, each with its hash checked. @throws ROTA-4010 when they are not here whole */
  async *sealedStream(cid: Digest): AsyncGenerator<Uint8Array> {
    const reader = await this.#local(cid)
    for (const leaf of await reader.leaves()) yield await reader.block(leaf.cid, true)
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
    const reader = await this.#local(cid)
    for (const leaf of await reader.leaves().catch(() => [])) await this.#files.delete(leaf.cid)
    // The root last: without it nobody would know the leaves that a crash left behind.
    await this.#files.delete(rootCid(cid))
  }

  async #unseal(ref: ObjectRef, key: EpochKey, reader: ObjectReader, leaves: readonly Leaf[]): Promise<Uint8Array> {
    const lengthBytes = plainLength(totalBytes(leaves))
    if (lengthBytes === null) throw new RotaError('ROTA-4011', { cid: ref.cid, why: 'its length is not one of an encrypted object' })
    const plaintext = new Uint8Array(lengthBytes)
    const sealing = objectKey(key, { ...ref, lengthBytes })
    const open = async (block: Uint8Array, index: number, leaf: { readonly cid: CID }) => {
      if (openPiece(block, index, sealing, plaintext)) return
      // A block that rotted on disk shows here first: now its hash is checked, and it is fetched again.
      if (!openPiece(await reader.block(leaf.cid, true), index, sealing, plaintext))
        throw new RotaError('ROTA-4011', { cid: ref.cid, why: `piece ${index} does not open` })
    }
    await reader.each(leaves, open, false)
    if (!this.#checked.has(ref.cid, sealing) && merkleRoot(plaintext, sha256) !== ref.root)
      throw new RotaError('ROTA-4011', { cid: ref.cid, why: 'its content has another root' })
    this.#checked.add(ref.cid, sealing)
    return plaintext
  }

  async #add(pieces: Iterable<Uint8Array>, sizeBytes: number, signal: AbortSignal): Promise<Digest> {
    const limit = MAX_OBJECT_BYTES - PIECE_BYTES
    if (sizeBytes > limit) throw new RotaError('ROTA-4014', { size: sizeBytes, limit })
    const { helia, unixfs } = await this.#load()
    return digestOf(await unixfs(helia).addByteStream(until(signal, pieces), ADD))
  }

  /** Whole on disk: read at once. Else one of a few pulls at a time. */
  async #read<T>(cid: Digest, sites: readonly SiteId[], signal: AbortSignal, use: (reader: ObjectReader) => Promise<T>): Promise<T> {
    const root = rootCid(cid)
    const { helia, decode } = await this.#load()
    const options: NamedProviders = { sites }
    const session = helia.blockstore.createSession(root, options)
    const reader = new ObjectReader({ root, files: this.#files, decode, session, signal })
    try {
      return (await reader.isWhole()) ? await use(reader) : await this.#pulls.use(() => use(reader), signal)
    } finally {
      session.close()
    }
  }

  async #local(cid: Digest): Promise<ObjectReader> {
    return new ObjectReader({ root: rootCid(cid), files: this.#files, decode: (await this.#load()).decode, session: null, signal: NEVER })
  }

  #load(): Promise<Loaded> {
    this.#loaded ??= loadHelia(this.#files, new MemberBlockBroker(this.#client, this.#options.log))
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

function* until(signal: AbortSignal, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) {
    signal.throwIfAborted()
    yield piece
  }
}
