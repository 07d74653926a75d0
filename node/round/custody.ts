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

/** The slices of the round's vectors that a site adds up without being asked. */
export function slicesToAdd(layout: VectorLayout, view: RoundView, me: SiteId): number[] {
  if (isSmall(layout)) return [0]
  return [...view.custodianPlaces.keys()].filter((slice) => isCustodian(view, me, slice))
}
