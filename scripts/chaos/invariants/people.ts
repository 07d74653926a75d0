import { only, type RunRecord } from '../record.ts'
import { momentsOf } from './time.ts'

/** So long a site that is up may take to see that a patient has withdrawn, and its call to be mined: looks are a second apart, lost calls two. */
const MS_TO_HEED = 5_000
/** Where others halt for it they have to hear of it, and may lead and be gone: at last the site itself calls. */
const MS_TO_HALT = 30_000

/**
 * An exact run stops once a patient withdraws at a site that has contributed to it: as soon as that site is in no trouble, no round closes any
 * more. Other runs go on: their rounds ask for consent again.
 */
export function withdrawalIsHeeded(record: RunRecord): string[] {
  const { draw, withdrawals, honest, events, view, gone } = record
  const at = momentsOf(record)
  if (!draw.rules.exact) return []
  return withdrawals.flatMap(({ site, atMs }) => {
    const used = only(events, 'Contributed').some((e) => e.site === site && at(e) < atMs)
    if (!honest.includes(site) || gone.includes(site) || !used) return []
    const withinMs = draw.study === 'resting' ? MS_TO_HALT : MS_TO_HEED
    const dueMs = soundFrom(record, site, atMs, withinMs) + withinMs
    const late = only(events, 'RoundClosed').filter((e) => at(e) > dueMs)
    if (late.length > 0) return [`round ${late[0]?.round} closes long after a patient of site ${site} has withdrawn`]
    return view?.state === 'Active' && record.endMs > dueMs ? [`the run goes on though a patient of site ${site} has withdrawn`] : []
  })
}

/** From when on, not before `fromMs`, a site was in no trouble for as long as it takes. */
function soundFrom({ casualties, outages }: RunRecord, site: number, fromMs: number, withinMs: number): number {
  const troubles = [...casualties.filter((c) => c.site === site), ...outages].sort((a, b) => a.fromMs - b.fromMs)
  let sound = fromMs
  for (const { fromMs: begins, toMs } of troubles) if (begins <= sound + withinMs && toMs >= sound) sound = toMs
  return sound
}

/** An honest custodian names what lies on its own disk, and nothing else. */
export const witnessesHold = ({ unheld }: RunRecord): string[] =>
  unheld.map(
    ({ round, slice, witness, update }) => `site ${witness} says that it holds slice ${slice} of site ${update}'s update of round ${round}, and never did`,
  )
