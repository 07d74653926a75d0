import { relative } from 'node:path'
import process from 'node:process'
import { inspect } from 'node:util'
import { nothing, type Tally } from './tally.ts'

/** What node:test tells of a test or a suite that has ended. */
export interface Ended {
  readonly name: string
  readonly nesting: number
  readonly file?: string | undefined
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
  readonly details: {
    readonly type?: string | undefined
    readonly duration_ms?: number
    readonly error?: Error & { readonly failureType?: string; readonly cause?: unknown }
  }
}

/** What is to be said of a file: counts, failures whole, and why something was skipped. */
export class Notes {
  readonly tally: Tally = nothing()
  /** Each failure. */
  text = ''
  readonly skipped: string[] = []

  pass(test: Ended): void {
    // A suite that is skipped has no tests that could say so.
    if (test.details.type === 'suite' && !test.skip) return
    if (!test.skip && !test.todo) this.tally.passed += 1
    else {
      this.tally.skipped += 1
      this.skipped.push(`  skipped: ${test.name} (${typeof test.skip === 'string' ? test.skip : 'no reason given'})\n`)
    }
  }

  fail(test: Ended): void {
    // A suite fails because a test in it did; that one is told.
    if (test.details.error?.failureType === 'subtestsFailed') return
    this.failed(`FAIL ${placeOf(test)} › ${test.name}\n${whyOf(test)}\n`)
  }

  failed(text: string): void {
    this.tally.failed += 1
    this.text += text
  }
}

/** A file's own line, and what was skipped in it. */
export function lineOf(name: string, { tally, skipped }: Notes, ms: number): string {
  const more = tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''
  return `${tally.failed === 0 ? 'ok  ' : 'FAIL'} ${name}  ${tally.passed} passed${more}  ${(ms / 1000).toFixed(1)} s\n${skipped.join('')}`
}

/** Whether this is the suite that stands for one of these files. */
export const isSuiteOf = (files: readonly string[], { name, nesting, details }: Ended): boolean =>
  nesting === 0 && details.type === 'suite' && files.includes(name)

const placeOf = ({ file }: Ended): string => (file === undefined ? '' : relative(process.cwd(), file))

export const whyOf = ({ details: { error } }: Ended): string =>
  inspect(error?.cause ?? error, { depth: 4, colors: process.stdout.isTTY === true }).replace(/^/gm, '  ')
