import type { Site } from './site.ts'

/** Ends the wait for `work` after `ms` of the host's clock. */
export async function within<T>(site: Pick<Site, 'host'>, ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const done = new AbortController()
  const limited = AbortSignal.any([signal, done.signal])
  const timer = site.host.clock.sleep(ms, limited).then(
    () => done.abort(),
    () => undefined,
  )
  try {
    return await work(limited)
  } finally {
    done.abort()
    await timer
  }
}
