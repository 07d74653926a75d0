import { appendFileSync, closeSync, mkdirSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RotaError } from '#base/errors.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { RawLog } from './rpc.ts'

/**
 * Logs that were read, one a line, so that a node that starts again asks the chain only for what is new, and keeps in memory only the
 * newest; and the memory of which chain this was. First line: { version, genesis, contracts }. It may be deleted while no node runs:
 * then all is read again; so it is when the disk refuses a line, since a node on a full disk goes on.
 */
export interface EventFile {
  /** Where the first log begins, in bytes. */
  readonly start: number
  /** Each log that the file held when it was opened, and where its line ends; to be called once, before anything is appended. */
  replay(take: (log: RawLog, end: number) => void): void
  /** @returns where each line ends; null when they are not kept, or what was kept before is gone */
  append(logs: readonly RawLog[]): readonly number[] | null
  /** Logs of a part of the file that begins and ends with a line; null when they are not there any more. */
  read(from: number, to: number): readonly RawLog[] | null
  /** Forgets all logs: the chain went back. */
  clear(): void
}

/** Where nothing is kept. */
export const noEventFile: EventFile = { start: 0, replay() {}, append: () => null, read: () => null, clear() {} }

/** A file is read in parts of this size, so that its length does not matter. */
const PART_BYTES = 256 * 1024

/** @throws ROTA-5005 when the file remembers another first block for these contracts, ROTA-1306 when the folder cannot be written */
export function openEventFile(dir: string, genesis: Digest, contracts: Address, url: string): EventFile {
  const path = join(dir, `events-${contracts.slice(2, 14)}.jsonl`)
  const header = `${JSON.stringify({ version: 1, genesis, contracts })}\n`
  let start = header.length
  let end = start
  let whole = true
  const clear = (): void => {
    guarded(path, () => writeFileSync(path, header, { mode: 0o600 }))
    start = header.length
    end = start
  }
  /** Without it more is read at the next start. What came after a gap would hide the gap: all of it goes, and nothing more is kept. */
  const orForget = (write: () => void): void => {
    try {
      write()
      whole = true
    } catch {
      whole = false
      forget(path)
    }
  }
  guarded(path, () => mkdirSync(dir, { recursive: true, mode: 0o700 }))
  const first = headerOf(path)
  if (first?.version === 1 && first.contracts === contracts && first.genesis !== genesis) {
    throw new RotaError('ROTA-5005', { url, genesis, expected: first.genesis })
  }
  if (first?.version === 1 && first.contracts === contracts) {
    start = first.bytes
    end = Number.POSITIVE_INFINITY
  } else clear()
  return {
    get start() {
      return start
    },
    replay(take) {
      end = start
      for (const line of linesOf(path, start)) {
        const log = parse<RawLog>(line.text)
        if (log === undefined) break
        take(log, line.end)
        end = line.end
      }
      // The rest was not written whole.
      guarded(path, () => truncateSync(path, end))
    },
    append(logs) {
      const lines = logs.map((log) => Buffer.from(`${JSON.stringify(log)}\n`))
      if (whole) orForget(() => appendFileSync(path, Buffer.concat(lines)))
      return whole ? lines.map((line) => (end += line.length)) : null
    },
    read(from, to) {
      const logs = [...linesOf(path, from, to)].map(({ text }) => parse<RawLog>(text))
      return logs.some((log) => log === undefined) ? null : (logs as RawLog[])
    },
    clear: () => orForget(clear),
  }
}

/** The first line, and how many bytes it takes. */
function headerOf(path: string): { readonly version: number; readonly genesis: Digest; readonly contracts: Address; readonly bytes: number } | undefined {
  for (const { text, end } of linesOf(path, 0)) {
    const header = parse<{ version: number; genesis: Digest; contracts: Address }>(text)
    return header === undefined ? undefined : { ...header, bytes: end }
  }
  return undefined
}

/** Whole lines that begin at byte `from` and end at byte `to` at most; none when there is no such file. */
function* linesOf(path: string, from: number, to = Number.POSITIVE_INFINITY): Generator<{ readonly text: string; readonly end: number }> {
  let at = from
  let rest = Buffer.alloc(0)
  for (const part of partsOf(path, from, to)) {
    const bytes = rest.length === 0 ? part : Buffer.concat([rest, part])
    let begin = 0
    for (let line = bytes.indexOf(10); line >= 0; line = bytes.indexOf(10, begin)) {
      at += line + 1 - begin
      yield { text: bytes.toString('utf8', begin, line), end: at }
      begin = line + 1
    }
    rest = Buffer.from(bytes.subarray(begin))
  }
}

function* partsOf(path: string, from: number, to: number): Generator<Buffer> {
  const fd = opened(path)
  if (fd === null) return
  try {
    for (let at = from; at < to; ) {
      const part = Buffer.alloc(Math.min(PART_BYTES, to - at))
      const bytes = readSync(fd, part, 0, part.length, at)
      if (bytes === 0) return
      yield part.subarray(0, bytes)
      at += bytes
    }
  } finally {
    closeSync(fd)
  }
}

function opened(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch {
    return null
  }
}

function parse<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T
  } catch {
    return undefined
  }
}

/** A disk that is full still lets a file be emptied. */
function forget(path: string): void {
  try {
    truncateSync(path, 0)
  } catch {
    // Not even that: the next start cannot write there either, and says so.
  }
}

function guarded(file: string, write: () => void): void {
  try {
    write()
  } catch (cause) {
    throw new RotaError('ROTA-1306', { file, reason: (cause as NodeJS.ErrnoException).code ?? 'unknown' }, cause)
  }
}
