import { createHash } from 'node:crypto'
import type { Bitmap } from '#base/ids.ts'
import type { JournalEntry } from '#ports/journal.ts'

/**
 * One entry is one line: first 16 hex digits of the SHA-256 of the JSON, a space, the JSON. Bitmaps are 0x-hex.
 * The checksum finds a torn or damaged line; it is no defence against someone who writes to this site's disk.
 */
export function encodeLine(entry: JournalEntry): string {
  const json = JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value))
  return `${checksum(json)} ${json}\n`
}

/** Undefined when the line was not written whole. */
export function decodeLine(line: string): JournalEntry | undefined {
  const json = line.slice(17)
  if (line[16] !== ' ' || checksum(json) !== line.slice(0, 16)) return undefined
  return JSON.parse(json, (key, value) => (BITMAPS.has(key) ? (BigInt(value) as Bitmap) : value)) as JournalEntry
}

const BITMAPS = new Set(['held', 'holders', 'included', 'neighbours', 'sites'])

const checksum = (json: string): string => createHash('sha256').update(json).digest('hex').slice(0, 16)
