import type { Clock } from '#ports/host.ts'

/** Wakes whoever waits, and forgets no wake that came between looking and waiting. */
export interface Waker {
  wake(): void
  /** Taken before looking. */
  mark(): number
  /** Resolves at once when something woke since `mark`, else at the next wake or after `ms`. */
  next(mark: number, clock: Clock, ms: number, signal: AbortSignal): Promise<void>
}

/** One for all: the platform would make a new error, with its stack, at each wake. */
const WOKEN = new Error('woken')

export function createWaker(): Waker {
  let count = 0
  const waiting = new Set<() => void>()
  return {
    wake() {
      count += 1
      for (const resolve of waiting) resolve()
      waiting.clear()
    },
    mark: () => count,
    async next(mark, clock, ms, signal) {
      if (count !== mark) return
      signal.throwIfAborted()
      const done = new AbortController()
      const { promise: woken, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      const end = () => resolve()
      signal.addEventListener('abort', end, { once: true })
      const slept = clock.sleep(ms, done.signal).catch(() => undefined)
      await Promise.race([woken, slept])
      // Where nothing wakes for days, those that slept would pile up.
      waiting.delete(resolve)
      signal.removeEventListener('abort', end)
      done.abort(WOKEN)
      signal.throwIfAborted()
    },
  }
}
