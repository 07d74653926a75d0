import { has } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import type { VectorLayout } from '#core/ring/vectors.ts'
import type { RoundView } from '#ports/chain.ts'
import { INLINE_VECTOR_BYTES } from '#wire/announce.ts'

/** Small updates travel inline to every member, who each add them up; of large ones each custodian adds its slices. */
export const isSmall = (layout: VectorLayout): boolean => vectorBytes(layout) <= INLINE_VECTOR_BYTES

/** Into how many slices the round's vectors are cut: small ones are one, whatever the study says. */
export const cutOf = (layout: VectorLayout, view: RoundView): number => (isSmall(layout) ? 1 : view.custodianPlaces.length)

export const allSlices = (layout: VectorLayout, view: RoundView): number[] => Array.from({ length: cutOf(layout, view) }, (_, slice) => slice)

/** Places s, s + 1, … of the rota, counted from the turn. */
export function custodiansOf({ rota, turn, custodianPlaces }: RoundView, slice: number): SiteId[] {
  const places = Math.min(custodianPlaces[slice] ?? 0, rota.length)
  return Array.from({ length: places }, (_, place) => rota[(turn + slice + place) % rota.length] as SiteId)
}

export const isCustodian = (view: RoundView, me: SiteId, slice: number): boolean => custodiansOf(view, slice).includes(me)

/** As many give their word for a slice: three who lie alike would pass a wrong one. */
const ADDERS = 3

/**
 * Who adds a slice of a frozen set up for the others: the first of the set from the slice's place on. Its custodians, as a rule; where one of them is
 * not in the set, and so may be gone, the next who is stands in for it, so that nobody waits and the word of fewer than three is never enough.
 */
export function addersOf({ rota, turn, included }: RoundView, slice: number): SiteId[] {
  const fromItsPlace = rota.map((_, place) => rota[(turn + slice + place) % rota.length] as SiteId)
  return fromItsPlace.filter((site) => has(included, site)).slice(0, ADDERS)
}

/** The slices of the round's vectors that a site holds as their custodian, and adds up as they arrive. */
export function slicesToAdd(layout: VectorLayout, view: RoundView, me: SiteId): number[] {
  if (isSmall(layout)) return [0]
  return [...view.custodianPlaces.keys()].filter((slice) => isCustodian(view, me, slice))
}

/** Those that it tells the others of once the set is frozen: small sums everybody adds up. */
export function slicesToTell(layout: VectorLayout, view: RoundView, me: SiteId): number[] {
  if (isSmall(layout)) return []
  return [...view.custodianPlaces.keys()].filter((slice) => isCustodian(view, me, slice) || addersOf(view, slice).includes(me))
}
