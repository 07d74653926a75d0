import { closeSync, constants, openSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { PIECE_BYTES } from './sealing.ts'
import { Slots } from './slots.ts'

/**
 * Writes blocks that nobody is about to read straight to the disk. In the system's cache each would take a fresh MiB, which costs more than to
 * encrypt it (up to 1.3 ms; past the cache 0.1), and drive out what is read.
 *
 * The system takes such bytes only from addresses, and in lengths, that are whole pages: they go through memory that begins at one. What is left at
 * the end is written the usual way.
 */
const PAGE_BYTES = 4096
const AT_ONCE = 2
const DIRECT: number | undefined = constants.O_DIRECT

const slots = new Slots(AT_ONCE)
const free: Uint8Array[] = []
let isRefused = DIRECT === undefined

/**
 * @param file open for writing, new and empty
 * @param path of the same file
 * @returns false when system or disk do not take it: then it is to be written the usual way from its beginning, and they are not asked again
 * @throws as `write`
 */
export async function writePast(file: number, path: string, bytes: Uint8Array): Promise<boolean> {
  const whole = Math.min(bytes.length - (bytes.length % PAGE_BYTES), PIECE_BYTES)
  if (isRefused || whole === 0) return false
  if (!(await slots.use(() => writePages(path, bytes.subarray(0, whole))))) return false
  for (let at = whole; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at)
  return true
}

async function writePages(path: string, pages: Uint8Array): Promise<boolean> {
  const staged = free.pop() ?? alignedMemory()
  let file: number | undefined
  try {
    file = openSync(path, constants.O_WRONLY | (DIRECT ?? 0))
    staged.set(pages)
    for (let at = 0; at < pages.length; ) at += (await writeSome(file, staged, at, pages.length - at, at)).bytesWritten
    return true
  } catch (error) {
    if (!isNotTaken(error)) throw error
    isRefused = true
    return false
  } finally {
    free.push(staged)
    if (file !== undefined) closeSync(file)
  }
}

const isNotTaken = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EINVAL'

/** Memory that can grow is made of whole pages; of other memory nobody knows where it begins. */
const alignedMemory = (): Uint8Array => new Uint8Array(new ArrayBuffer(PIECE_BYTES, { maxByteLength: PIECE_BYTES }))

const writeSome = promisify(write)
