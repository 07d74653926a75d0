import { RotaError } from '#base/errors.ts'
import type { Site } from './site.ts'

/** The platform would make an error with its stack each time. */
const DONE = new Error('done')

/** Ends the wait for `work` after `ms` of the host's clock. @throws ROTA-5509 (retry) where `work` gives its signal's reason */
export async function within<T>(
  site: { readonly host: Pick<Site['host'], 'clock'> },
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const done = new AbortController()
  const limited = AbortSignal.any([signal, done.signal])
  const timer = site.host.clock.sleep(ms, limited).then(
    () => done.abort(new RotaError('ROTA-5509', {})),
    () => undefined,
  )
  try {
    return await work(limited)
  } finally {
    done.abort(DONE)
    await timer
  }
}
