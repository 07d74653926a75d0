import type { SiteId } from '#base/ids.ts'

/** Sites that have the same bytes, in the order in which `me` asks them: each begins with another of them, so that none serves all the others. */
export function fromOwnTurn(holders: readonly SiteId[], me: SiteId): readonly SiteId[] {
  const first = me % Math.max(1, holders.length)
  return [...holders.slice(first), ...holders.slice(0, first)]
}
