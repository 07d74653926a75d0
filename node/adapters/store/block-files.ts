import { createHash } from 'node:crypto'
import { close, closeSync, existsSync, mkdirSync, openSync, read, readFileSync, renameSync, rmSync, statSync, write, writeFileSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { FsBlockstore } from 'blockstore-fs'
import { NextToLast } from 'blockstore-fs/sharding'
import type { CID } from 'multiformats/cid'
import { RotaError } from '#base/errors.ts'
import { blockBuffer, giveBack } from './block-buffers.ts'
import { digestOf } from './cids.ts'
import { writePast } from './past-cache.ts'
import { MAX_BLOCK_BYTES } from './sealing.ts'

export interface PutOptions {
  readonly signal?: AbortSignal
  /** Members are about to ask for it: it stays in the system's cache. What came from others is rarely read again, a sum once, a model after a restart. */
  readonly readSoon?: boolean
}

const TEMPORARY = '.tmp'
/** A block is written within seconds: what is older was left by a process that was killed. What is younger may be of one that runs: commands open the folder beside the node. */
const ABANDONED_MS = 10 * 60_000
/** Blocks up to this size are read and written at once: handing 4 kB to another thread and back takes ten times as long. */
const SMALL_BYTES = 64 * 1024

/**
 * One file a block, in the layout of blockstore-fs, each there whole or not at all: written beside its place, then renamed.
 * Not synced to disk: after a power cut a block may be missing or wrong, which its hash shows, and it is fetched again from other members.
 * The journal, which cannot be fetched, is synced.
 */
export class BlockFiles extends FsBlockstore {
  #temporaries = 0
  readonly #folders = new Set<string>()

  /** @throws ROTA-4013 when the folder cannot be made or read */
  override async open(): Promise<void> {
    try {
      await super.open()
      for (const folder of await readdir(this.path)) {
        for (const file of await readdir(join(this.path, folder)).catch(() => []))
          if (file.endsWith(TEMPORARY)) await dropAbandoned(join(this.path, folder, file))
      }
    } catch (cause) {
      throw new RotaError('ROTA-4013', { dir: this.path }, cause)
    }
  }

  /** @throws ROTA-4013 */
  override async put(cid: CID, bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>, { readSoon = false }: PutOptions = {}): Promise<CID> {
    const path = this.pathOf(cid)
    const temporary = `${path}.${process.pid}-${this.#temporaries++}${TEMPORARY}`
    try {
      this.#makeFolder(dirname(path))
      if (bytes instanceof Uint8Array && bytes.length <= SMALL_BYTES) writeFileSync(temporary, bytes, { flag: 'wx' })
      else await writeLarge(temporary, bytes, readSoon)
      renameSync(temporary, path)
      return cid
    } catch (cause) {
      rmSync(temporary, { force: true })
      throw new RotaError('ROTA-4013', { dir: this.path }, cause)
    }
  }

  /** In one piece. */
  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    const bytes = await this.read(cid, false)
    if (bytes === null) throw new RotaError('ROTA-4010', { cid: digestOf(cid) })
    yield bytes
  }

  /** The block, or null when it is not here. `checked`: one whose bytes have another hash is deleted, and counts as not here. */
  async read(cid: CID, checked: boolean): Promise<Uint8Array | null> {
    const bytes = await readBlock(this.pathOf(cid))
    if (bytes === null) return null
    if (!checked || hashesTo(bytes, cid)) return bytes
    giveBack(bytes)
    await this.delete(cid)
    return null
  }

  override async has(cid: CID): Promise<boolean> {
    return existsSync(this.pathOf(cid))
  }

  pathOf(cid: CID): string {
    const { dir, file } = SHARDS.encode(cid)
    return join(this.path, dir, file)
  }

  #makeFolder(path: string): void {
    if (this.#folders.has(path)) return
    mkdirSync(path, { recursive: true })
    this.#folders.add(path)
  }
}

async function dropAbandoned(path: string): Promise<void> {
  const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  if (written !== undefined && written < Date.now() - ABANDONED_MS) await rm(path, { force: true })
}

/** Opened here, which takes no time; the bytes are written by another thread, which may. */
async function writeLarge(path: string, bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>, readSoon: boolean): Promise<void> {
  const file = openSync(path, 'wx')
  try {
    if (bytes instanceof Uint8Array && !readSoon && (await writePast(file, path, bytes))) return
    for await (const part of bytes instanceof Uint8Array ? [bytes] : bytes)
      for (let at = 0; at < part.length; ) at += (await writeSome(file, part, at)).bytesWritten
  } finally {
    await closeFile(file)
  }
}

/** A whole file that is never longer than a block, or null when it cannot be read. */
async function readBlock(path: string): Promise<Uint8Array | null> {
  const found = readSmall(path)
  if (typeof found !== 'number') return found
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return null
  }
  try {
    if (found > MAX_BLOCK_BYTES) return new Uint8Array(0)
    const buffer = blockBuffer(found)
    const { bytesRead } = await readSome(file, buffer, 0, found, 0)
    return bytesRead === found ? buffer : buffer.subarray(0, bytesRead)
  } catch {
    return null
  } finally {
    closeSync(file)
  }
}

/** Null when it cannot be read; its size when it is not small. */
function readSmall(path: string): Uint8Array | null | number {
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size
    if (size === undefined) return null
    return size > SMALL_BYTES ? size : readFileSync(path)
  } catch {
    return null
  }
}

const writeSome = promisify(write)
const readSome = promisify(read)
const closeFile = (file: number) => new Promise<void>((resolve, reject) => close(file, (error) => (error ? reject(error) : resolve())))

/** Where blockstore-fs itself would look. */
const SHARDS = new NextToLast()

export const hashesTo = (bytes: Uint8Array, cid: CID): boolean => createHash('sha256').update(bytes).digest().equals(cid.multihash.digest)
