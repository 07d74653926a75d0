import { has } from '#base/bitmap.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { RoundNo } from '#base/ids.ts'
import type { RunView } from '#ports/chain.ts'
import { thirdsPassed } from '../clock.ts'
import type { Play, Round } from '../play.ts'

const LOOK_MS = 1_000
/** So late a site asks for more time: early enough for its transaction, and not for work that is done in time as a rule. */
const ASKS_AFTER_THIRDS = 2
/** The platform would make an error with its stack each time. */
const DONE = new Error('done')

/**
 * Waits for `work` for as long as the round still waits for contributions: once it has moved on the site is needed elsewhere. Asks for more
 * time when it runs out: once a round, by whoever is first, of those that the others wait for.
 * @throws ROTA-5510 (ignore) when the round has moved on; the work goes on
 */
export async function whileAwaited<T>(play: Play, round: Round, signal: AbortSignal, work: Promise<T>): Promise<T> {
  const done = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const watching = watch(play, round, AbortSignal.any([signal, done.signal])).then(
    () => reject(new RotaError('ROTA-5510', { run: round.run, round: round.round })),
    () => undefined,
  )
  const startedMs = play.site.host.clock.nowMs()
  try {
    const made = await Promise.race([work, late])
    const isFresh = play.site.host.clock.nowMs() - startedMs < LOOK_MS
    // Since the last look the round may have moved on: what was made would be used up for nothing.
    if (!isFresh && !(await isAwaiting(play, round))) throw new RotaError('ROTA-5510', { run: round.run, round: round.round })
    return made
  } finally {
    done.abort(DONE)
    await watching
  }
}

/** Whether the round still takes contributions, as far as this site can tell. */
async function isAwaiting({ site }: Play, { run, round }: Round): Promise<boolean> {
  const view = await site.chain.run(run).catch(() => null)
  return view === null || takesUpdates(view, round)
}

const takesUpdates = ({ state, round }: RunView, number: RoundNo): boolean => state === 'Active' && round.round === number && round.phase === 'Contributing'

/** Resolves once the round has moved on; rejects when aborted. */
async function watch(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  let mayAsk = true
  for (;;) {
    await play.site.host.clock.sleep(LOOK_MS, signal)
    const view = await play.site.chain.run(round.run).catch(() => null)
    if (view === null) continue
    if (!takesUpdates(view, round.round)) return
    if (!mayAsk || !(await needsTime(play, view)) || signal.aborted) continue
    mayAsk = false
    // Not waited for: the work may be done before the call is mined.
    void askForTime(play, round).then((again) => {
      mayAsk = again
    })
  }
}

async function needsTime({ site, study }: Play, view: RunView): Promise<boolean> {
  if (view.round.extended || !has(view.round.awaited, site.id)) return false
  const known = await Promise.all([study.record(), site.chain.head()]).catch(() => null)
  return known !== null && thirdsPassed(known[0].rules, view.round, known[1]) >= ASKS_AFTER_THIRDS
}

/** @returns whether it is worth trying again: not when another site was first, or the round has moved on */
async function askForTime({ site }: Play, { run, round }: Round): Promise<boolean> {
  try {
    await site.chain.extend(run, round)
    site.tell({ kind: 'asked-for-time', run, round })
    return false
  } catch (error) {
    return isRotaError(error) && error.reaction === 'retry'
  }
}
