import { relative } from 'node:path'
import process from 'node:process'
import { run } from 'node:test'
import { inspect } from 'node:util'
import { nothing, type Tally } from './tally.ts'

/** One file may take this long, with all that it starts, on a machine that has much else to do. */
const FILE_LIMIT_MS = 900_000

interface Ended {
  readonly name: string
  readonly file?: string | undefined
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
  readonly details: { readonly type?: string | undefined; readonly error?: Error & { readonly failureType?: string; readonly cause?: unknown } }
}

/** Runs a test file in a process of its own; tells its line, each failure whole, and why anything was skipped. */
export async function runNodeTest(file: string, write: (text: string) => void, limitMs = FILE_LIMIT_MS): Promise<Tally> {
  const tally = nothing()
  const skipped: string[] = []
  const stream = run({ files: [file], concurrency: 1, timeout: limitMs })
  stream.on('test:pass', (test: Ended) => {
    // A suite that is skipped has no tests that could say so.
    if (test.details.type === 'suite' && !test.skip) return
    if (!test.skip && !test.todo) tally.passed += 1
    else {
      tally.skipped += 1
      skipped.push(`  skipped: ${test.name} (${typeof test.skip === 'string' ? test.skip : 'no reason given'})\n`)
    }
  })
  stream.on('test:fail', (test: Ended) => {
    // A suite fails because a test in it did; that one is told.
    if (test.details.error?.failureType === 'subtestsFailed') return
    tally.failed += 1
    write(`FAIL ${place(test)} › ${test.name}\n${whyOf(test)}\n`)
  })
  stream.on('test:stdout', ({ message }: { message: string }) => write(message))
  stream.on('test:stderr', ({ message }: { message: string }) => write(message))
  stream.on('test:summary', ({ file: of, success, duration_ms: ms }) => {
    if (of === undefined) return
    const more = tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''
    write(`${success ? 'ok  ' : 'FAIL'} ${relative(process.cwd(), of)}  ${tally.passed} passed${more}  ${(ms / 1000).toFixed(1)} s\n${skipped.join('')}`)
  })
  for await (const _ of stream) {
    // The listeners above tell; reading to the end waits for the file.
  }
  return tally
}

const place = ({ file }: Ended): string => (file === undefined ? '' : relative(process.cwd(), file))

const whyOf = ({ details: { error } }: Ended): string =>
  inspect(error?.cause ?? error, { depth: 4, colors: process.stdout.isTTY === true }).replace(/^/gm, '  ')
