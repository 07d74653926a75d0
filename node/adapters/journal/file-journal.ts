import { type FileHandle, open, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RotaError } from '#base/errors.ts'
import type { RoundNo, RunId } from '#base/ids.ts'
import type { Journal, JournalEntry } from '#ports/journal.ts'
import { clearNeighbours, diskError, readIfThere, syncFolder, writeAtomic } from './atomic-file.ts'
import { decodeLine, encodeLine } from './journal-line.ts'

export interface FileJournal extends Journal {
  close(): Promise<void>
}

/**
 * The journal as an append-only file. A line is on disk (fsync) before `append` resolves; calls are served one after another.
 * Compaction replaces the file as a whole: killed in the middle of it, the next start finds the long one or the short one.
 * @throws ROTA-1305 when a line before the last is damaged: the file was changed by something else
 * @throws ROTA-1306 when the disk refuses a write; nothing of the refused entry remains
 */
export async function openJournal(path: string): Promise<FileJournal> {
  await clearNeighbours(path)
  let { entries, wholeBytes } = await readJournal(path)
  let file = await open(path, 'a', 0o600).catch((cause) => refuse(path, cause))
  await file.truncate(wholeBytes)
  await syncFolder(dirname(path))
  let sizeBytes = wholeBytes
  const oneByOne = createQueue()

  async function rewrite(kept: readonly JournalEntry[]): Promise<void> {
    const text = kept.map(lineOf).join('')
    await writeAtomic(path, text)
    // The old file is closed only when the new one is open: an entry always has where to go.
    const written = await open(path, 'a', 0o600).catch((cause) => refuse(path, cause))
    await file.close()
    file = written
    entries = kept
    sizeBytes = Buffer.byteLength(text)
  }

  async function add(more: readonly JournalEntry[]): Promise<void> {
    if (more.length === 0) return
    const lines = more.map(lineOf).join('')
    await appendSynced(file, path, lines, sizeBytes)
    sizeBytes += Buffer.byteLength(lines)
    entries = [...entries, ...more]
  }

  return {
    entries: () => entries,
    append: (...more) => oneByOne(() => add(more)),
    compact: (run, round) =>
      oneByOne(async () => {
        const kept = entries.filter(staysAfter(entries, run, round))
        if (kept.length < entries.length) await rewrite(kept)
      }),
    burn: (run, round, ...more) =>
      oneByOne(async () => {
        const isDue = (entry: JournalEntry): boolean => entry.run === run && entry.round < round && burnt(entry) !== entry
        if (entries.some(isDue)) await rewrite([...entries.map((entry) => (isDue(entry) ? burnt(entry) : entry)), ...more])
        else await add(more)
      }),
    close: () => oneByOne(() => file.close()),
  }
}

/** A masked round rewrites the whole journal, of which nearly all stays as it was. */
const lines = new WeakMap<JournalEntry, string>()

function lineOf(entry: JournalEntry): string {
  const line = lines.get(entry) ?? encodeLine(entry)
  lines.set(entry, line)
  return line
}

/** Without the secrets in it; itself when there are none. */
function burnt(entry: JournalEntry): JournalEntry {
  if (entry.kind === 'keys' && entry.sealed !== '') return { ...entry, sealed: '' }
  return (entry.kind === 'dealt' || entry.kind === 'keyed') && entry.shares !== '' ? { ...entry, shares: '' } : entry
}

const STAYING: ReadonlySet<JournalEntry['kind']> = new Set(['frozen', 'released', 'wentOn', 'leftOut'])

/**
 * Frozen sets stay for good, and sets that shares were shown for: a node halts if the chain ever shows another one. So does what operators said, who was left out, and a
 * run's last contribution, which says what cohort an exact run began with.
 */
function staysAfter(entries: readonly JournalEntry[], run: RunId, round: RoundNo): (entry: JournalEntry) => boolean {
  const last = entries.findLast((entry) => entry.kind === 'contributed' && entry.run === run)
  return (entry) => entry.run !== run || entry.round >= round || STAYING.has(entry.kind) || entry === last
}

async function appendSynced(file: FileHandle, path: string, line: string, sizeBefore: number): Promise<void> {
  try {
    await file.appendFile(line)
    await file.datasync()
  } catch (cause) {
    await truncate(path, sizeBefore).catch(() => {})
    refuse(path, cause)
  }
}

function refuse(file: string, cause: unknown): never {
  throw diskError(file, cause)
}

/**
 * What was written whole, and how many bytes that is; a torn last line is left out. Also beside a node that writes it.
 * @throws ROTA-1305, ROTA-1306
 */
export async function readJournal(path: string): Promise<{ entries: readonly JournalEntry[]; wholeBytes: number }> {
  const text = (await readIfThere(path))?.toString() ?? ''
  const lines = text.split('\n')
  const entries: JournalEntry[] = []
  let wholeBytes = 0
  for (const [i, line] of lines.entries()) {
    const entry = decodeLine(line)
    const isLast = i >= lines.length - 2 && lines.slice(i + 1).every((rest) => rest === '')
    if (entry === undefined || i === lines.length - 1) {
      if (isLast) break
      throw new RotaError('ROTA-1305', { file: path, entry: i + 1 })
    }
    entries.push(entry)
    wholeBytes += Buffer.byteLength(line) + 1
  }
  return { entries, wholeBytes }
}

/** Runs tasks one after another; a failed task does not stop the next. */
function createQueue() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(task: () => Promise<T>): Promise<T> => {
    const mine = last.then(task, task)
    last = mine.catch(() => {})
    return mine
  }
}
