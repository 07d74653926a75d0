import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Clock, Log } from '#ports/host.ts'
import type { Peers } from '#ports/peers.ts'

export interface ClockWatchParts {
  readonly peers: Pick<Peers, 'hello'>
  readonly connected: () => readonly SiteId[]
  readonly clock: Clock
  readonly log: Log
}

/** A clock this far off spoils logs and receipts, though deadlines are chain time. */
export const WRONG_CLOCK_MS = 10 * 60_000
const FIRST_LOOK_MS = 3_000
const LOOK_MS = 5 * 60_000
const HELLO_MS = 5_000

/**
 * Compares this node's clock with its peers' again and again: never with the chain, whose time runs ahead when blocks are
 * instant. The median of the peers' offsets counts, so that one peer's wrong clock alarms that peer alone.
 * @param alarm told ROTA-1206 while the clock is off, null once it is right
 */
export async function watchClock(parts: ClockWatchParts, alarm: (error: RotaError | null) => void, signal: AbortSignal): Promise<void> {
  for (let wait = FIRST_LOOK_MS; !signal.aborted; wait = LOOK_MS) {
    await parts.clock.sleep(wait, signal).catch(() => undefined)
    if (signal.aborted) return
    const offset = await medianOffset(parts, signal)
    if (offset === null) continue
    const wrong = Math.abs(offset) >= WRONG_CLOCK_MS ? clockError(offset) : null
    if (wrong !== null) parts.log.error('clock.wrong', { code: wrong.code, offsetMs: Math.round(offset) })
    alarm(wrong)
  }
}

/** @param offsetMs peers' clocks minus ours */
export const clockError = (offsetMs: number): RotaError => new RotaError('ROTA-1206', { offset: Math.round(-offsetMs / 1000) })

/** Null when no peer answers. */
export async function medianOffset({ peers, connected }: Pick<ClockWatchParts, 'peers' | 'connected'>, signal: AbortSignal): Promise<number | null> {
  const asked = connected().map((site) => peers.hello(site, AbortSignal.any([signal, AbortSignal.timeout(HELLO_MS)])))
  const offsets = (await Promise.allSettled(asked))
    .flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.clockOffsetMs] : []))
    .sort((a, b) => a - b)
  const middle = offsets.length >> 1
  if (offsets.length === 0) return null
  return offsets.length % 2 === 1 ? (offsets[middle] as number) : ((offsets[middle - 1] as number) + (offsets[middle] as number)) / 2
}
