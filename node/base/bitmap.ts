import { type Bitmap, type SiteId, siteId } from './ids.ts'

export const EMPTY = 0n as Bitmap

export const bitmapOf = (sites: Iterable<SiteId>): Bitmap => {
  let bits = 0n
  for (const site of sites) bits |= 1n << BigInt(site)
  return bits as Bitmap
}

export const has = (set: Bitmap, site: SiteId): boolean => ((set >> BigInt(site)) & 1n) === 1n

export const withSite = (set: Bitmap, site: SiteId): Bitmap => (set | (1n << BigInt(site))) as Bitmap

/** Members in ascending order. */
export function sitesOf(set: Bitmap): SiteId[] {
  const sites: SiteId[] = []
  for (let rest: bigint = set, i = 0; rest > 0n; rest >>= 1n, i++) if (rest & 1n) sites.push(siteId(i))
  return sites
}

export const sizeOf = (set: Bitmap): number => sitesOf(set).length
