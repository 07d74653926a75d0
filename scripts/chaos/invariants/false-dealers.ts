import { FALSE_DEALINGS } from '#adapters/sim/faults.ts'
import { bitmapOf, EMPTY } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import { only, type RunRecord } from '../record.ts'

/** Sites that share out another secret than they promise, or than their seed makes. */
export const falseDealersOf = ({ draw }: Pick<RunRecord, 'draw'>): SiteId[] =>
  draw.plan.lies.flatMap(({ site, lie }) => (FALSE_DEALINGS.includes(lie) ? [site] : []))

/**
 * Where shares are of another secret than promised the run goes on: no more rounds are refused than there are such sites, and what is shown of a repeat is the sum of all
 * others of the refused set. The false site knows the first sum, and any other set would tell it of whoever is in one alone.
 */
export function falseDealersAlone(record: RunRecord): string[] {
  const dealers = falseDealersOf(record)
  const refused = only(record.events, 'RoundRefused')
  if (dealers.length === 0) return []
  const often = refused.length > dealers.length ? [`${refused.length} rounds were refused for the shares of ${dealers.length} sites`] : []
  return [...often, ...refused.flatMap(({ round }) => repeatsOf(record, round).flatMap((repeat) => asOneSum(record, round, repeat)))]
}

/** Rounds on the base that this one left. */
function repeatsOf({ events }: RunRecord, round: number): number[] {
  const opened = only(events, 'RoundOpened')
  const base = opened.find((e) => e.round === round + 1)?.baseRoot
  return opened.filter((e) => e.baseRoot === base).map((e) => e.round)
}

function asOneSum(record: RunRecord, round: number, repeat: number): string[] {
  const setOf = (of: number): Bitmap => only(record.events, 'Frozen').find((e) => e.round === of)?.included ?? EMPTY
  const [before, now] = [setOf(round), setOf(repeat)]
  const isShown = record.shown.some((show) => record.honest.includes(show.site) && show.round === repeat && show.survivors === now)
  // Of those who have left the study nobody minds what a difference tells.
  const out = bitmapOf([...falseDealersOf(record), ...record.gone])
  const isSame = ((before ^ now) & ~out) === 0n && (now & bitmapOf(falseDealersOf(record))) === 0n
  return !isShown || isSame ? [] : [`round ${repeat} repeats round ${round}, and shows the sum of others than all but the false site`]
}
