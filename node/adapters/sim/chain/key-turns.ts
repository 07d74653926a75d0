import { has, sitesOf } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'

/** KeyTurns.sol: seconds by which each place is behind the one before. */
export const TURN_SECONDS = 2

export interface Drawing {
  readonly members: Bitmap
  /** Those of the members who come after the others. */
  readonly newcomers: Bitmap
  readonly publisher: SiteId
  /** Of each epoch's key so far. */
  readonly drawers: readonly SiteId[]
}

/** How many members come before this one to draw a study's next key. */
export function placeToDraw({ members, newcomers, publisher, drawers }: Drawing, site: SiteId): number {
  const rank = (one: SiteId): readonly number[] => [has(newcomers, one) ? 1 : 0, drawers.lastIndexOf(one), one > publisher ? 0 : 1, one]
  const own = rank(site)
  return sitesOf(members).filter((other) => isBefore(rank(other), own)).length
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i])
  return at >= 0 && (a[at] as number) < (b[at] as number)
}
