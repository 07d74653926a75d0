import { withSite } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import { common, countOf, union } from './bits.ts'
import { placeOf, type Round, type Slice } from './round.ts'

/** Bitmaps of a slice that must name an update: two, or one where one site is all there is. */
const needed = (round: Round): number => Math.min(2, round.rota.length)

/** Custodians of slice s are the places s, s + 1, … modulo n. */
export function isCustodian(round: Round, site: SiteId, slice: number): boolean {
  const place = placeOf(round, site)
  const n = round.rota.length
  return place >= 0 && (place - (slice % n) + n) % n < (round.slices[slice] as Slice).places
}

export function recordWitness(round: Round, slice: number, site: SiteId, held: Bitmap): Round {
  const before = round.slices[slice] as Slice
  const after = {
    ...before,
    witnessed: withSite(before.witnessed, site),
    once: union(before.once, held),
    twice: union(before.twice, common(before.once, held)),
  }
  return { ...round, slices: round.slices.with(slice, after) }
}

/** Updates that enough custodians of every slice hold. */
export const standing = (round: Round): Bitmap => round.slices.reduce((all, slice) => common(all, standingIn(round, slice)), round.contributed)

const standingIn = (round: Round, slice: Slice): Bitmap => (needed(round) === 1 ? slice.once : slice.twice)

/** Nothing that a custodian could still say would change who is in. */
export const allSettled = (round: Round): boolean => round.slices.every((slice) => countOf(slice.witnessed) === slice.places || !lacks(round, slice))

const isHeard = (round: Round, slice: Slice): boolean => countOf(slice.witnessed) >= needed(round)

export const allHeard = (round: Round): boolean => round.slices.every((slice) => isHeard(round, slice))

const lacks = (round: Round, slice: Slice): boolean => standingIn(round, slice) !== round.contributed

/** Whether a slice that lacks an update has places of the rota left to ask. */
export const canExtend = (round: Round): boolean => round.slices.some((slice) => lacks(round, slice) && slice.places < round.rota.length)

/** Three more places for each slice that lacks an update; bitmaps that came count on. */
export const extended = (round: Round): Round => ({
  ...round,
  slices: round.slices.map((slice) => (lacks(round, slice) ? { ...slice, places: Math.min(slice.places + 3, round.rota.length) } : slice)),
})
