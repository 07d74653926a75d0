import { relative } from 'node:path'
import process from 'node:process'
import { run } from 'node:test'
import type { Tally } from './tally.ts'
import { type Ended, lineOf, Notes } from './told.ts'

/** One file may take this long, with all that it starts, on a machine that has much else to do. */
export const FILE_LIMIT_MS = 900_000

/** Packages as the command line reads them. */
export const BUNDLED = ['--import', new URL('../../node/cli/bundled.mjs', import.meta.url).href] as const

/** A process that is still there so long after that time left something open: it is ended. */
const LINGER_MS = 20_000

/** Runs a test file in a process of its own; tells its line, each failure whole, and why anything was skipped. */
export async function runNodeTest(file: string, write: (text: string) => void, limitMs = FILE_LIMIT_MS, lingerMs = LINGER_MS): Promise<Tally> {
  const notes = new Notes()
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), limitMs + lingerMs)
  const stream = run({ files: [file], concurrency: 1, timeout: limitMs, signal: stop.signal, execArgv: [...BUNDLED] })
  let line = ''
  stream.on('test:pass', (test: Ended) => notes.pass(test))
  stream.on('test:fail', (test: Ended) => notes.fail(test))
  stream.on('test:stdout', ({ message }: { message: string }) => write(message))
  stream.on('test:stderr', ({ message }: { message: string }) => write(message))
  stream.on('test:summary', ({ file: of, duration_ms: ms }) => {
    if (of !== undefined) line = lineOf(relative(process.cwd(), of), notes, ms)
  })
  for await (const _ of stream) {
    // The listeners above tell; reading to the end waits for the file.
  }
  clearTimeout(timer)
  // A file whose process ended in the middle of it has no line.
  write(notes.text + line)
  return notes.tally
}
