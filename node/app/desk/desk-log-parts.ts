import { createHash } from 'node:crypto'
import { copyFile, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { withLock } from '#adapters/cohort/durable-file.ts'
import { LOG_START, SealedLog } from '#adapters/cohort/sealed-log.ts'
import { diskError, readIfThere } from '#adapters/journal/atomic-file.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { DeskEntry } from '#web/desk/desk-log.ts'

/** A log of this size is put away, once its first entry is old enough: with the one before it, a desk reads back further than it ever needs. */
const FULL_BYTES = 8 * 1024 * 1024
const OLD_MS = 32 * 86_400_000

/** The desk's log, and the parts of it that were put away beside it: `desk-1.log` is the oldest. */
export interface DeskLogFiles {
  /** Of now. */
  readonly file: string
  readonly key: Uint8Array
}

const LABEL = 'desk'

export const sealedPart = ({ key }: Pick<DeskLogFiles, 'key'>, file: string): SealedLog<DeskEntry> => new SealedLog<DeskEntry>(file, key, LABEL)

export const partFile = ({ file }: Pick<DeskLogFiles, 'file'>, part: number): string => join(dirname(file), `desk-${part}.log`)

/** Which part follows the one that the first entry names; 1: there is none before. */
export const partOf = (first: DeskEntry | undefined): number => (first?.before?.part ?? 0) + 1

/** Parts that lie beside the log, ascending. @throws ROTA-1306 */
async function partsBeside({ file }: Pick<DeskLogFiles, 'file'>): Promise<readonly number[]> {
  const names = await readdir(dirname(file)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw diskError(dirname(file), cause)
  })
  return names.flatMap((name) => Number(/^desk-(\d+)\.log$/.exec(name)?.[1] ?? Number.NaN) || []).sort((a, b) => a - b)
}

/**
 * Puts a full log away and begins the next, whose first entry holds number, length and digest of the one before: what is taken off a part, or a part
 * that is taken out, is found. A crash in between leaves the log as it was, and a copy that the next try writes again.
 * @returns whether it did @throws ROTA-1306, 6002
 */
export async function putAwayFull(files: DeskLogFiles, nowMs: number, limits = { bytes: FULL_BYTES, ageMs: OLD_MS }): Promise<boolean> {
  const { file } = files
  const isFull = await stat(file).then(
    ({ size }) => size >= limits.bytes,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return false
      throw diskError(file, cause)
    },
  )
  if (!isFull) return false
  return withLock(file, async () => {
    const text = await readIfThere(file)
    if (text === null) return false
    const { entries } = await sealedPart(files, file).after(LOG_START)
    const [first] = entries
    if (first === undefined || nowMs - Date.parse(first.at) < limits.ageMs) return false
    const part = partOf(first)
    const next = `${file}.next`
    await rm(next, { force: true })
    await sealedPart(files, next).append([
      { at: new Date(nowMs).toISOString(), who: '', what: 'continued', before: { part, entries: entries.length, digest: digestOf(text) } },
    ])
    await copyDurably(file, partFile(files, part))
    await rename(next, file).catch((cause) => {
      throw diskError(file, cause)
    })
    return true
  })
}

const digestOf = (bytes: Uint8Array): Digest => `0x${createHash('sha256').update(bytes).digest('hex')}` as Digest

async function copyDurably(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to)
    const handle = await open(to, 'r+')
    await handle.sync()
    await handle.close()
  } catch (cause) {
    throw diskError(to, cause)
  }
}

/**
 * Nothing beside the log may be later than what it follows: another log was put in its place. But for a copy of its own beginning, which a crash left.
 * @throws ROTA-6002, 1306
 */
async function checkFollows(files: DeskLogFiles, current: number, beside: readonly number[]): Promise<void> {
  const later = beside.filter((part) => part >= current)
  if (later.length === 0) return
  const [now, copy] = await Promise.all([readIfThere(files.file), readIfThere(partFile(files, current))])
  const isCopy = copy !== null && now?.subarray(0, copy.length).equals(copy)
  if (later.length > 1 || !isCopy) throw new RotaError('ROTA-6002', { file: files.file, entry: 1 })
}

/** The whole log, oldest entry first. */
export interface WholeDeskLog {
  readonly entries: readonly DeskEntry[]
  /** What was put away and lies here no more: the hospital deleted it, or keeps it elsewhere. Null: all is here. */
  readonly missing: { readonly file: string } | null
}

/** @throws ROTA-6002 an entry or a part that was altered, shortened, or taken out of the middle; 1306 one that the disk does not give */
export async function readWholeLog(files: DeskLogFiles): Promise<WholeDeskLog> {
  const { file } = files
  const beside = await partsBeside(files)
  let { entries: newest } = await sealedPart(files, file).after(LOG_START)
  await checkFollows(files, partOf(newest[0]), beside)
  const all = [newest]
  for (let part = partOf(newest[0]) - 1; part > 0; part--) {
    const path = partFile(files, part)
    // The oldest may go, when its time is over; one between two others may not.
    if (!beside.includes(part) && beside.every((other) => other > part)) return { entries: all.reverse().flat(), missing: { file: basename(path) } }
    const before = newest[0]?.before
    const text = await readIfThere(path)
    if (text === null || before === undefined || digestOf(text) !== before.digest) throw new RotaError('ROTA-6002', { file: path, entry: before?.entries ?? 0 })
    newest = (await sealedPart(files, path).after(LOG_START)).entries
    if (newest.length !== before.entries || partOf(newest[0]) !== part) throw new RotaError('ROTA-6002', { file: path, entry: before.entries })
    all.push(newest)
  }
  return { entries: all.reverse().flat(), missing: null }
}
