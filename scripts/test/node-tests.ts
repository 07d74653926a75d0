import { relative } from 'node:path'
import process from 'node:process'
import { run } from 'node:test'
import { inspect } from 'node:util'
import { nothing, type Tally } from './tally.ts'

/** One file may take this long, with all that it starts. */
const FILE_LIMIT_MS = 300_000

interface Ended {
  readonly name: string
  readonly file?: string | undefined
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
  readonly details: { readonly type?: string | undefined; readonly error?: Error & { readonly failureType?: string; readonly cause?: unknown } }
}

/** Runs test files, each in a process of its own; tells a line a file, each failure whole, and why anything was skipped. */
export async function runNodeTests(files: readonly string[], concurrency: number): Promise<Tally> {
  const tally = nothing()
  const skipped: string[] = []
  const stream = run({ files: [...files], concurrency, timeout: FILE_LIMIT_MS })
  stream.on('test:pass', (test: Ended) => {
    if (test.details.type === 'suite') return
    if (!test.skip && !test.todo) tally.passed += 1
    else {
      tally.skipped += 1
      skipped.push(`  skipped: ${test.name} (${typeof test.skip === 'string' ? test.skip : 'no reason given'})`)
    }
  })
  stream.on('test:fail', (test: Ended) => {
    // A suite fails because a test in it did; that one is told.
    if (test.details.error?.failureType === 'subtestsFailed') return
    tally.failed += 1
    console.log(`FAIL ${place(test)} › ${test.name}\n${whyOf(test)}`)
  })
  stream.on('test:stdout', ({ message }: { message: string }) => process.stdout.write(message))
  stream.on('test:stderr', ({ message }: { message: string }) => process.stderr.write(message))
  stream.on('test:summary', ({ file, success, counts, duration_ms: ms }) => {
    if (file === undefined) return
    console.log(
      `${success ? 'ok  ' : 'FAIL'} ${relative(process.cwd(), file)}  ${counts.passed} passed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}  ${(ms / 1000).toFixed(1)} s`,
    )
    for (const line of skipped.splice(0)) console.log(line)
  })
  for await (const _ of stream) {
    // The listeners above tell; reading to the end waits for all files.
  }
  return tally
}

const place = ({ file }: Ended): string => (file === undefined ? '' : relative(process.cwd(), file))

const whyOf = ({ details: { error } }: Ended): string =>
  inspect(error?.cause ?? error, { depth: 4, colors: process.stdout.isTTY === true }).replace(/^/gm, '  ')
