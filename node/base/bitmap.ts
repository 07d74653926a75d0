import { type Bitmap, type SiteId, siteId } from './ids.ts'

export const EMPTY = 0n as Bitmap

export const bitmapOf = (sites: Iterable<SiteId>): Bitmap => {
  let bits = 0n
  for (const site of sites) bits |= 1n << BigInt(site)
  return bits as Bitmap
}

export const has = (set: Bitmap, site: SiteId): boolean => ((set >> BigInt(site)) & 1n) === 1n

export const withSite = (set: Bitmap, site: SiteId): Bitmap => (set | (1n << BigInt(site))) as Bitmap

export const without = (set: Bitmap, site: SiteId): Bitmap => (set & ~(1n << BigInt(site))) as Bitmap

/** Members in ascending order. */
export function sitesOf(set: Bitmap): SiteId[] {
  const sites: SiteId[] = []
  for (let rest: bigint = set, base = 0; rest > 0n; rest >>= 32n, base += 32)
    for (let word = Number(BigInt.asUintN(32, rest)); word !== 0; word = (word & (word - 1)) >>> 0) sites.push(siteId(base + 31 - Math.clz32(word & -word)))
  return sites
}

export function sizeOf(set: Bitmap): number {
  let size = 0
  for (let rest: bigint = set; rest > 0n; rest >>= 32n) for (let word = Number(BigInt.asUintN(32, rest)); word !== 0; word = (word & (word - 1)) >>> 0) size++
  return size
}
