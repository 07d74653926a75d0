import { sizeOf } from '#base/bitmap.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap } from '#base/ids.ts'
import { fromCbor } from '../cbor.ts'

/** What the objects and words of a masked round have in common: dag-cbor arrays that begin with a version. */
export const MASKING_VERSION = 2

/**
 * Checks size, then version, then the number of items.
 * @throws ROTA-4002 too long, ROTA-4003 unknown version, ROTA-4001 anything else
 */
export function itemsOf(bytes: Uint8Array, what: string, limit: number, items: number): readonly unknown[] {
  if (bytes.length > limit) throw new RotaError('ROTA-4002', { size: bytes.length, limit })
  const value = fromCbor(bytes, what)
  if (!Array.isArray(value) || value.length === 0) throw malformed(what)
  if (value[0] !== MASKING_VERSION) throw new RotaError('ROTA-4003', { version: String(value[0]).slice(0, 20), known: MASKING_VERSION })
  if (value.length !== items) throw malformed(what)
  return value
}

export const malformed = (what: string): RotaError => new RotaError('ROTA-4001', { what })
export const isBytes = (x: unknown, length: number): x is Uint8Array => x instanceof Uint8Array && x.length === length
export const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0 && x <= 0xffffffff
export const isSite = (x: unknown): x is number => isCount(x) && x < 256

/** A set of sites: 32 bytes, big-endian. */
export const setBytes = (set: Bitmap): Uint8Array => fromHex(set.toString(16).padStart(64, '0'))
export const setOf = (bytes: Uint8Array): Bitmap => BigInt(toHex(bytes)) as Bitmap

/** Values of one length, one after the other. Undefined when it is not as many as the set, or part of it, has sites. */
export function listOf(x: unknown, length: number, expected: number): Uint8Array[] | undefined {
  if (!Number.isInteger(expected) || !isBytes(x, length * expected)) return undefined
  return Array.from({ length: expected }, (_, i) => x.slice(length * i, length * (i + 1)))
}

/** Of a set, how many are below a site, and how many above. */
export const below = (set: Bitmap, site: number): number => sizeOf((set & ((1n << BigInt(site)) - 1n)) as Bitmap)
export const above = (set: Bitmap, site: number): number => sizeOf((set >> BigInt(site + 1)) as Bitmap)
