import process from 'node:process'
import { noProgress, type Progress, progressOn } from './progress.ts'
import { plain, type Style, styleFor } from './style.ts'

/** Where a command's answer goes: text for people, or one JSON object for machines. */
export interface Output {
  readonly json: boolean
  /** Marks for stdout. */
  readonly style: Style
  /** Whether a person watches. */
  readonly terminal: boolean
  /** The answer: the object that --json prints, and the text for people. Called once. */
  result(value: unknown, text: () => string): void
  /** A line for people on the way to the answer; with --json it goes to stderr. */
  line(text?: string): void
  /** One JSON object on a line of its own, for commands that tell as they go (with --json only). */
  event(value: unknown): void
  progress(title: string): Progress
}

export function createOutput(json: boolean): Output {
  const { stdout, stderr } = process
  return {
    json,
    style: json ? plain : styleFor(stdout),
    terminal: stdout.isTTY === true && !json,
    result: (value, text) => void stdout.write(json ? `${toJson(value, 2)}\n` : `${text()}\n`),
    line: (text = '') => void (json ? stderr : stdout).write(`${text}\n`),
    event: (value) => void (json && stdout.write(`${toJson(value)}\n`)),
    progress: (title) => (json && !stderr.isTTY ? noProgress : progressOn(stderr, title, styleFor(stderr))),
  }
}

/** JSON without surprises: what is no finite number is null, a bigint a number where it fits, bytes hex. */
export const toJson = (value: unknown, indent?: number): string => JSON.stringify(value, plainValue, indent)

function plainValue(_key: string, value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (value instanceof Map) return Object.fromEntries(value)
  return ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value
}
