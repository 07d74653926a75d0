import type { LogFields } from '#ports/host.ts'
import { ALLOWED_FIELDS } from './allowed-fields.ts'

export type LogFormat = 'human' | 'json'
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** A longer text is cut: no value of ours needs more, and a dump of something else would. */
const LONGEST_TEXT = 300

export interface LogRecord {
  readonly timeMs: number
  readonly level: LogLevel
  readonly event: string
  readonly fields: readonly (readonly [name: string, value: string | number | boolean | null])[]
}

/** Keeps the fields that may be written and says how many were left out. */
export function recordOf(timeMs: number, level: LogLevel, event: string, fields: LogFields = {}): { record: LogRecord; dropped: number } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  const kept = given.filter(([name]) => ALLOWED_FIELDS.has(name)).map(([name, value]) => [name, plain(value)] as const)
  return { record: { timeMs, level, event: oneLine(event), fields: kept }, dropped: given.length - kept.length }
}

/** `2026-01-31T08:00:00.000Z  info  round closed  round=3 leader=1`, or one JSON object. Always one line. */
export function formatLine(record: LogRecord, format: LogFormat): string {
  const time = new Date(record.timeMs).toISOString()
  if (format === 'json') return JSON.stringify({ time, level: record.level, event: record.event, ...Object.fromEntries(record.fields) })
  const pairs = record.fields.map(([name, value]) => `${name}=${quoted(value)}`)
  return [time, record.level.padEnd(5), record.event, ...(pairs.length > 0 ? [pairs.join(' ')] : [])].join('  ')
}

const plain = (value: LogFields[string]): string | number | boolean | null => {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`
  if (typeof value === 'string') return oneLine(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  return value ?? null
}

const quoted = (value: string | number | boolean | null): string => (typeof value === 'string' && /[\s"=]/.test(value) ? JSON.stringify(value) : String(value))

/** A line break or escape sequence in a value could forge a line of its own. */
const oneLine = (text: string): string => {
  const clean = text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
  return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT)}…` : clean
}
