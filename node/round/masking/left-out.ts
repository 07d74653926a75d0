import { EMPTY } from '#base/bitmap.ts'
import type { Bitmap, RoundNo } from '#base/ids.ts'
import { leftOutOf } from '#core/model/refuse.ts'
import type { Play } from '../play.ts'

/** Whose shares were of another secret than promised, in this run: nobody deals to them any more, nor takes a deal of theirs. */
export function sitesLeftOut({ site, run, base }: Play): Bitmap {
  const noted = site.journal.entries().flatMap((entry) => (entry.kind === 'leftOut' && entry.run === run ? [entry.sites] : []))
  return noted.reduce((all, sites) => (all | sites) as Bitmap, base === null ? EMPTY : leftOutOf(base.model))
}

/** The model that the round leaves does not say it any more. */
export async function noteLeftOut(play: Play, round: RoundNo): Promise<void> {
  const { site, run, base } = play
  const sites = base === null ? EMPTY : leftOutOf(base.model)
  const isNoted = site.journal.entries().some((entry) => entry.kind === 'leftOut' && entry.run === run && (sites & ~entry.sites) === 0n)
  if (sites !== EMPTY && !isNoted) await site.journal.append({ kind: 'leftOut', run, round, sites })
}
