import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BUNDLED, FILE_LIMIT_MS, runNodeTest } from './node-tests.ts'
import { add, nothing, type Tally } from './tally.ts'
import { type Ended, isSuiteOf, lineOf, Notes, whyOf } from './told.ts'

const BATCH = fileURLToPath(new URL('./batch.ts', import.meta.url))

export interface Limits {
  /** For each file, with all that it starts. */
  readonly fileMs: number
  /** Once all files have ended, until the process has: what it waits for then was left open by a file. */
  readonly lingerMs: number
}

const LIMITS: Limits = { fileMs: FILE_LIMIT_MS, lingerMs: 20_000 }

/**
 * Runs quick test files in one process, one after the other; tells each one's line and failures as for a file with a process of its own. When the
 * process ends before its files have, or does not end after them, that is a failure which names the file; files that had not ended then
 * are run again, each in a process of its own, so that no test is lost.
 */
export async function runTogether(files: readonly string[], write: (text: string) => void, limits = LIMITS): Promise<Tally> {
  const total = nothing()
  const ended = await inOneProcess(files, total, write, limits)
  const left = files.filter((file) => !ended.has(file))
  if (left.length > 0) {
    total.failed += 1
    write(`FAIL ${left[0]}: the process that it shares with other files ended before it had; it and those after it are run alone\n`)
  }
  for (const file of left) add(total, await runNodeTest(file, write, limits.fileMs, limits.lingerMs))
  return total
}

/** @returns files of which all tests have ended */
async function inOneProcess(files: readonly string[], total: Tally, write: (text: string) => void, limits: Limits): Promise<ReadonlySet<string>> {
  const ended = new Set<string>()
  const stop = new AbortController()
  const watch = (): NodeJS.Timeout => setTimeout(() => stop.abort(), ended.size === files.length ? limits.lingerMs : limits.fileMs)
  let timer = watch()
  let notes = new Notes()
  const fileEnded = (test: Ended, passed: boolean): void => {
    ended.add(test.name)
    clearTimeout(timer)
    timer = watch()
    if (!passed && test.details.error?.failureType !== 'subtestsFailed') notes.failed(`FAIL ${test.name}\n${whyOf(test)}\n`)
    add(total, notes.tally)
    write(notes.text + lineOf(test.name, notes, test.details.duration_ms ?? 0))
    notes = new Notes()
  }
  const stream = run({ files: [BATCH], argv: [...files], concurrency: 1, signal: stop.signal, execArgv: [...BUNDLED] })
  stream.on('test:pass', (test: Ended) => (isSuiteOf(files, test) ? fileEnded(test, true) : notes.pass(test)))
  stream.on('test:fail', (test: Ended) => {
    if (isSuiteOf(files, test)) fileEnded(test, false)
    else if (test.nesting > 0) notes.fail(test)
    else if (test.details.error?.failureType !== 'subtestsFailed' && ended.size === files.length) {
      total.failed += 1
      write(`FAIL after the last test of ${files.join(', ')}: something failed that no test waited for, or was left open\n${whyOf(test)}\n`)
    }
  })
  stream.on('test:stdout', ({ message }: { message: string }) => write(message))
  stream.on('test:stderr', ({ message }: { message: string }) => write(message))
  for await (const _ of stream) {
    // The listeners above tell; reading to the end waits for the process.
  }
  clearTimeout(timer)
  // Of a file that did not come to its end nothing counts: it is run again.
  write(notes.text)
  return ended
}
