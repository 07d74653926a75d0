import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FsBlockstore } from 'blockstore-fs'
import { NextToLast } from 'blockstore-fs/sharding'
import type { CID } from 'multiformats/cid'
import { RotaError } from '#base/errors.ts'
import { blockBuffer, giveBack } from './block-buffers.ts'
import { digestOf } from './cids.ts'
import { PIECE_BYTES } from './sealing.ts'

const TEMPORARY = '.tmp'
/** Blocks up to this size are read and written at once: handing 4 kB to another thread and back, four times a block, takes ten times as long. */
const SMALL_BYTES = 64 * 1024

/**
 * One file a block, in the layout of blockstore-fs, each there whole or not at all: written beside its place, then renamed.
 * Not synced to disk: after a power cut a block may be missing or wrong, which its hash shows, and it is fetched again from other members.
 * The journal, which cannot be fetched, is synced.
 */
export class BlockFiles extends FsBlockstore {
  #temporaries = 0
  readonly #folders = new Map<string, Promise<unknown>>()

  /** @throws ROTA-4013 when the folder cannot be made or read */
  override async open(): Promise<void> {
    try {
      await super.open()
      for (const folder of await readdir(this.path)) {
        for (const file of await readdir(join(this.path, folder)).catch(() => [])) if (file.endsWith(TEMPORARY)) await unlink(join(this.path, folder, file))
      }
    } catch (cause) {
      throw new RotaError('ROTA-4013', { dir: this.path }, cause)
    }
  }

  /** @throws ROTA-4013 */
  override async put(cid: CID, bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<CID> {
    const path = this.pathOf(cid)
    if (bytes instanceof Uint8Array && bytes.length <= SMALL_BYTES) return this.#putSmall(cid, path, bytes)
    const temporary = `${path}.${process.pid}-${this.#temporaries++}${TEMPORARY}`
    try {
      await this.#folder(dirname(path))
      const file = await open(temporary, 'wx')
      try {
        for await (const part of bytes instanceof Uint8Array ? [bytes] : bytes) await writeWhole(file, part)
      } finally {
        await file.close()
      }
      await rename(temporary, path)
      return cid
    } catch (cause) {
      await unlink(temporary).catch(() => undefined)
      throw new RotaError('ROTA-4013', { dir: this.path }, cause)
    }
  }

  #putSmall(cid: CID, path: string, bytes: Uint8Array): CID {
    const temporary = `${path}.${process.pid}-${this.#temporaries++}${TEMPORARY}`
    try {
      this.#folders.set(dirname(path), this.#folders.get(dirname(path)) ?? Promise.resolve(mkdirSync(dirname(path), { recursive: true })))
      writeFileSync(temporary, bytes, { flag: 'wx' })
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

  #folder(path: string): Promise<unknown> {
    const made = this.#folders.get(path) ?? mkdir(path, { recursive: true })
    this.#folders.set(path, made)
    return made
  }
}

/** In one call where the disk takes it: `writeFile` would hand a block over twice. */
async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** A whole file that is never longer than a block, or null when it cannot be read. */
async function readBlock(path: string): Promise<Uint8Array | null> {
  const small = readSmall(path)
  if (small !== 'large') return small
  const file = await open(path).catch(() => null)
  if (file === null) return null
  try {
    const { size } = await file.stat()
    if (size > PIECE_BYTES) return new Uint8Array(0)
    const buffer = blockBuffer(size)
    const { bytesRead } = await file.read(buffer, 0, size, 0)
    return bytesRead === size ? buffer : buffer.subarray(0, bytesRead)
  } catch {
    return null
  } finally {
    await file.close()
  }
}

/** Null when it cannot be read. */
function readSmall(path: string): Uint8Array | null | 'large' {
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size
    if (size === undefined) return null
    return size > SMALL_BYTES ? 'large' : readFileSync(path)
  } catch {
    return null
  }
}

/** Where blockstore-fs itself would look. */
const SHARDS = new NextToLast()

export const hashesTo = (bytes: Uint8Array, cid: CID): boolean => createHash('sha256').update(bytes).digest().equals(cid.multihash.digest)
