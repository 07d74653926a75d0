import { has } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, Digest } from '#base/ids.ts'
import { isForShares } from '#core/model/refuse.ts'
import type { RunView, StudyRecord } from '#ports/chain.ts'
import { sitesLeftOut } from './masking/left-out.ts'
import { groupsAmong, isMasked, refusedSets } from './masking/masked-round.ts'
import type { Play, Round } from './play.ts'
import { abstain } from './steps/contribute.ts'

/**
 * Whether this site waits for people before it takes part again: a sum of masked updates was refused, and cannot be repeated in groups, or was already. Nobody
 * can tell then who spoils it; to go on as before would only show more sums. It goes on once a site has left the study since, or when its own
 * operators say so: they announce maintenance, and end it. A site that was left out for its shares waits for the run to end.
 */
export async function isHeldBack(play: Play, view: RunView, record: StudyRecord): Promise<boolean> {
  const { base } = play
  if (!isMasked(play) || base === null || base.root !== view.model.root) return false
  if (has(sitesLeftOut(play), play.site.id)) return true
  if (base.model.refusals === 0 || isForShares(base.model)) return false
  const goesOn = await wereToldToGoOn(play, view, base.root)
  const isFirst = base.model.refusals === 1 && groupsAmong(play, base, await refusedSets(play), inRepeat(play, view, record)).length > 0
  return !isFirst && !goesOn && !(await somebodyLeft(play, record))
}

/** Whether this site's operators said so, on this model; a node that starts again needs them no second time. */
async function wereToldToGoOn({ site, run }: Play, { round: { round } }: RunView, base: Digest): Promise<boolean> {
  if (site.journal.entries().some((entry) => entry.kind === 'wentOn' && entry.run === run && entry.base === base)) return true
  if (!site.resting()) return false
  await site.journal.append({ kind: 'wentOn', run, round, base })
  return true
}

/** Who may be in the round that repeats the refused one: of a paused run all who were in that. */
function inRepeat({ masked }: Play, { state }: RunView, { approved }: StudyRecord): Bitmap {
  const awaited = state === 'Active' && masked !== null ? masked.terms.members : approved
  return (awaited & (masked?.among ?? awaited)) as Bitmap
}

/** Of those who were in the rota of the last refused round. */
async function somebodyLeft({ site, run }: Play, { approved }: StudyRecord): Promise<boolean> {
  const events = await site.chain.events(0, { run, kinds: ['RoundOpened', 'RoundRefused'] })
  const refused = events.findLast((e) => e.kind === 'RoundRefused')
  const opened = events.findLast((e) => e.kind === 'RoundOpened' && e.round === (refused?.kind === 'RoundRefused' ? refused.round : undefined))
  return opened?.kind === 'RoundOpened' && opened.rota.some((member) => !has(approved, member))
}

/** Ends the others' waiting, for what it is worth: when all do so the run pauses. */
export function holdBack(play: Play, round: Round): Promise<void> {
  const { run, base } = round
  const isLeftOut = has(sitesLeftOut(play), play.site.id)
  const why = isLeftOut ? new RotaError('ROTA-2334', { site: play.site.id, run }) : new RotaError('ROTA-5517', { run, refusals: base.model.refusals })
  const { code, message, remedy } = why
  return abstain(play, round, 'sumRefused', `${code} ${message}. ${remedy}`)
}
