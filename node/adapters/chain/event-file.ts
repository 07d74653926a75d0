import { appendFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RotaError } from '#base/errors.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { RawLog } from './rpc.ts'

/**
 * Logs that were read, one a line, so that a node that starts again asks the chain only for what is new; and the memory of which
 * chain this was. First line: { version, genesis, contracts }. It may be deleted at any time: then all is read again; so it is when
 * the disk refuses a line, since a node on a full disk goes on.
 */
export interface EventFile {
  readonly logs: readonly RawLog[]
  append(logs: readonly RawLog[]): void
  /** Forgets all logs: the chain went back. */
  clear(): void
}

/** Where nothing is kept. */
export const noEventFile: EventFile = { logs: [], append() {}, clear() {} }

/** @throws ROTA-5005 when the file remembers another first block for these contracts, ROTA-1306 when the folder cannot be written */
export function openEventFile(dir: string, genesis: Digest, contracts: Address, url: string): EventFile {
  const path = join(dir, `events-${contracts.slice(2, 14)}.jsonl`)
  const header = `${JSON.stringify({ version: 1, genesis, contracts })}\n`
  const clear = () => guarded(path, () => writeFileSync(path, header, { mode: 0o600 }))
  let whole = true
  /** Without it more is read at the next start. What came after a gap would hide the gap: all of it goes, and nothing more is kept. */
  const orForget = (write: () => void) => {
    try {
      write()
      whole = true
    } catch {
      whole = false
      forget(path)
    }
  }
  guarded(path, () => mkdirSync(dir, { recursive: true, mode: 0o700 }))
  const lines = readLines(path)
  const first = parse<{ version: number; genesis: Digest; contracts: Address }>(lines[0] ?? '')
  if (first?.version === 1 && first.contracts === contracts && first.genesis !== genesis) {
    throw new RotaError('ROTA-5005', { url, genesis, expected: first.genesis })
  }
  const known = first?.version === 1 && first.contracts === contracts
  if (!known) clear()
  return {
    logs: known ? wholeLogs(path, lines) : [],
    append(logs) {
      if (whole) orForget(() => appendFileSync(path, logs.map((log) => `${JSON.stringify(log)}\n`).join('')))
    },
    clear: () => orForget(clear),
  }
}

/** Up to the first line that was not written whole; the rest is cut off. */
function wholeLogs(path: string, lines: readonly string[]): RawLog[] {
  const logs: RawLog[] = []
  let bytes = Buffer.byteLength(`${lines[0]}\n`)
  for (const line of lines.slice(1)) {
    const log = parse<RawLog>(line)
    if (log === undefined) break
    logs.push(log)
    bytes += Buffer.byteLength(line) + 1
  }
  guarded(path, () => truncateSync(path, bytes))
  return logs
}

/** Without the part after the last line end. */
const readLines = (path: string): string[] => {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
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
