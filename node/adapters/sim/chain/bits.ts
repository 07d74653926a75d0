import type { Bitmap } from '#base/ids.ts'

/** Size of a set, 32 sites at a time: cheap for a thousand sites too. */
export function countOf(set: bigint): number {
  let count = 0
  for (let rest = set; rest > 0n; rest >>= 32n) count += ones(Number(BigInt.asUintN(32, rest)))
  return count
}

function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return (((x + (x >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}

export const union = (a: Bitmap, b: Bitmap): Bitmap => (a | b) as Bitmap
export const common = (a: Bitmap, b: Bitmap): Bitmap => (a & b) as Bitmap
export const without = (a: Bitmap, b: Bitmap): Bitmap => (a & ~b) as Bitmap
/** Rota.sol: shares that rebuild a secret, of those dealt to so many sites; so many sites' updates a masked sum has at least. */
export const unmaskThreshold = (members: number): number => Math.floor((2 * members) / 3) + 1
export const isMajority = (count: number, of: number): boolean => 2 * count > of
