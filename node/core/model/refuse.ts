import { bitmapOf, EMPTY, sitesOf } from '#base/bitmap.ts'
import { type Bitmap, siteId } from '#base/ids.ts'
import type { Model } from './model.ts'

/** The base of the round that follows a refused publication: the same model, other bytes. */
export const refused = (base: Model): Model => ({ ...base, refusals: base.refusals + 1 })

/** The base of the round that repeats one whose sum nobody can unmask, without the sites at fault: the same model, other bytes. */
export const withoutSites = (base: Model, sites: Bitmap): Model => ({
  ...base,
  leftOut: { sites: sitesOf((leftOutOf(base) | sites) as Bitmap), refusals: base.refusals },
})

export const leftOutOf = ({ leftOut }: Model): Bitmap => (leftOut === undefined ? EMPTY : bitmapOf(leftOut.sites.map(siteId)))

/** Whether it was the shares of sites that had the last sum refused, and not what stood in it. */
export const isForShares = ({ leftOut, refusals }: Pick<Model, 'leftOut' | 'refusals'>): boolean => leftOut?.refusals === refusals

/**
 * Whether a site was left out after a sum had been refused, and perhaps shown in groups: groups without it were others, and told more together. Then the round
 * is repeated as one sum.
 */
export const isOneSum = ({ leftOut }: Model): boolean => leftOut !== undefined && leftOut.refusals > 0
