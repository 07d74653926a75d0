import type { Bitmap } from '#base/ids.ts'
import { common, union, without } from './bits.ts'

/** How many sets name each site, as a number in binary whose digits are sets: bit s of plane p is digit p of site s's count, the lowest plane first. */
export type Planes = readonly Bitmap[]

/** One more for each site of a set: the step is the same for one site and for a thousand. */
export function raised(planes: Planes, set: Bitmap): Planes {
  const after: Bitmap[] = []
  let carry = set
  for (const plane of planes) {
    after.push((plane ^ carry) as Bitmap)
    carry = common(plane, carry)
  }
  return carry === 0n ? after : [...after, carry]
}

/** Those of `sites` that at least so many sets name. */
export function namedBy(planes: Planes, least: number, sites: Bitmap): Bitmap {
  if (least >= 2 ** planes.length) return without(sites, sites)
  return planes.reduce((named, plane, p) => ((least >> p) & 1 ? common(named, plane) : union(named, common(sites, plane))), sites)
}
