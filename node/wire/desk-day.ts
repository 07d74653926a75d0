import { concat, fromHex, toDigest } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'

/**
 * What a site declares on AuditLog about one day at its desk: 32 bytes.
 *
 *   day (4, days since 1970-01-01, big-endian) ‖ looks (4, big-endian) ‖ first 24 bytes of the SHA-256 of the day's entries
 *
 * `looks` is the next power of two, so that the chain does not tell how many patients came; 0 stays 0. The digest binds the site to its
 * log: an entry that is changed, added or removed later no longer fits.
 */
export interface DeskDay {
  /** ISO date, UTC. */
  readonly day: string
  /** Looks at people, at most so many. */
  readonly looksAtMost: number
  /** 24 bytes. */
  readonly entries: Uint8Array
}

/** Category of AuditLog. */
export const DESK_DAY = 1

const DAY_MS = 86_400_000
const DIGEST_BYTES = 24

/** @param entriesDigest SHA-256 of the day's entries as the log holds them, one JSON a line */
export function encodeDeskDay(day: string, looks: number, entriesDigest: Uint8Array): Digest {
  const head = new DataView(new ArrayBuffer(8))
  head.setUint32(0, Date.parse(`${day}T00:00:00Z`) / DAY_MS)
  head.setUint32(4, looks === 0 ? 0 : 2 ** Math.ceil(Math.log2(looks)))
  return toDigest(concat(new Uint8Array(head.buffer), entriesDigest.subarray(0, DIGEST_BYTES)))
}

/** Null when it is none: another category, or made by another program. */
export function decodeDeskDay(category: number, subject: Digest): DeskDay | null {
  if (category !== DESK_DAY) return null
  const bytes = fromHex(subject)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [days, looksAtMost] = [view.getUint32(0), view.getUint32(4)]
  const whole = looksAtMost === 0 || Number.isInteger(Math.log2(looksAtMost))
  return whole && days * DAY_MS < 8.64e15 ? { day: new Date(days * DAY_MS).toISOString().slice(0, 10), looksAtMost, entries: bytes.slice(8) } : null
}
