import { withSite } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import { common, countOf } from './bits.ts'
import { namedBy, raised } from './planes.ts'
import { placeOf, type Round, type Slice } from './round.ts'

/** Bitmaps of a slice that must name an update: two, or one where one site is all there is; a majority of the rota's in a deep round. */
const needed = ({ deep, rota }: Round): number => (deep ? Math.floor(rota.length / 2) + 1 : Math.min(2, rota.length))

/** Custodians of slice s are the places s, s + 1, … modulo n. */
export function isCustodian(round: Round, site: SiteId, slice: number): boolean {
  const place = placeOf(round, site)
  const n = round.rota.length
  return place >= 0 && (place - (slice % n) + n) % n < (round.slices[slice] as Slice).places
}

export function recordWitness(round: Round, slice: number, site: SiteId, held: Bitmap): Round {
  const before = round.slices[slice] as Slice
  const after = { ...before, witnessed: withSite(before.witnessed, site), named: raised(before.named, held) }
  return { ...round, slices: round.slices.with(slice, after) }
}

/** Updates that enough custodians of every slice hold. */
export const standing = (round: Round): Bitmap => round.slices.reduce((all, slice) => common(all, standingIn(round, slice)), round.contributed)

const standingIn = (round: Round, slice: Slice): Bitmap => namedBy(slice.named, needed(round), round.contributed)

/** Nothing that a custodian could still say would change who is in. */
export const allSettled = (round: Round): boolean => round.slices.every((slice) => countOf(slice.witnessed) === slice.places || !lacks(round, slice))

const isHeard = (round: Round, slice: Slice): boolean => countOf(slice.witnessed) >= needed(round)

export const allHeard = (round: Round): boolean => round.slices.every((slice) => isHeard(round, slice))

const lacks = (round: Round, slice: Slice): boolean => standingIn(round, slice) !== round.contributed

/** Whether a slice that lacks an update has places of the rota left to ask; in a deep round, that has all of them, as much time as that takes. */
export const canExtend = (round: Round): boolean =>
  round.deep
    ? !allSettled(round) && 3 * (1 + round.extensions) < round.rota.length
    : round.slices.some((slice) => lacks(round, slice) && slice.places < round.rota.length)

/** Three more places for each slice that lacks an update; bitmaps that came count on. */
export const extended = (round: Round): Round => ({
  ...round,
  extensions: round.extensions + 1,
  slices: round.slices.map((slice) => (lacks(round, slice) ? { ...slice, places: Math.min(slice.places + 3, round.rota.length) } : slice)),
})
