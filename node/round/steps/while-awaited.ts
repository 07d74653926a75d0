import { RotaError } from '#base/errors.ts'
import type { Play, Round } from '../play.ts'

const LOOK_MS = 1_000
/** The platform would make an error with its stack each time. */
const DONE = new Error('done')

/**
 * Does `work` for as long as the round still waits for contributions; ends it once the round has moved on, since what would
 * come out could no longer be used, and the site is needed elsewhere.
 * @throws ROTA-5510 (ignore) when it was ended
 */
export async function whileAwaited<T>(play: Play, round: Round, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const done = new AbortController()
  const watching = watch(play, round, AbortSignal.any([signal, done.signal])).then(
    () => late.abort(new RotaError('ROTA-5510', { run: round.run, round: round.round })),
    () => undefined,
  )
  try {
    return await work(AbortSignal.any([signal, late.signal]))
  } catch (error) {
    if (late.signal.aborted && !signal.aborted) throw late.signal.reason
    throw error
  } finally {
    done.abort(DONE)
    await watching
  }
}

/** Resolves once the round has moved on; rejects when aborted. */
async function watch(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  for (;;) {
    await play.site.host.clock.sleep(LOOK_MS, signal)
    const view = await play.site.chain.run(round.run).catch(() => null)
    if (view !== null && (view.round.round !== round.round || view.round.phase !== 'Contributing' || view.state !== 'Active')) return
  }
}
