import type { ChainReader } from '#ports/chain.ts'
import type { Clock } from '#ports/host.ts'
import { type ChainTime, silenceMs } from './clock.ts'

/** The chain's time and height as this node last learned them. */
export interface ChainClock {
  head(): Promise<ChainTime>
  /** How long the chain had not grown when `head` was last asked, by this node's own clock. */
  silentMs(): number
  /** How long it took to grow the last time: a chain with regular blocks needs no help to make the next. 0 while its beat is not known. */
  gapMs(): number
}

/** So long the newest event stands for the head: every wake but those by time comes with one. */
const ASK_HEAD_MS = 400

/**
 * Where the chain would be called since it is silent, its head is asked first, each time: a call that moves nothing on makes a block without an event, and by a head
 * from before it the chain would be called again at once, and again. Each call takes a block from the limits, and on some chains a second.
 */
export function chainClock(chain: Pick<ChainReader, 'head' | 'events'>, clock: Pick<Clock, 'nowMs'>): ChainClock {
  let asked = { atMs: Number.NEGATIVE_INFINITY, head: { number: -1, timestamp: 0 } }
  let last = -1
  let since = clock.nowMs()
  let silent = 0
  let gap = 0

  const newest = async (nowMs: number): Promise<ChainTime> => {
    const isSilent = nowMs - since >= silenceMs(gap)
    if (isSilent || nowMs - asked.atMs >= ASK_HEAD_MS) asked = { atMs: nowMs, head: await chain.head() }
    const event = (await chain.events(asked.head.number)).at(-1)
    return event !== undefined && event.block > asked.head.number ? { number: event.block, timestamp: event.timestamp } : asked.head
  }

  const grew = (): void => {
    const waited = clock.nowMs() - since
    since += waited
    // It was called before it grew by itself: how long that took says nothing of its beat, and each such gap would make the next one longer.
    const isCalled = silenceMs(gap) > silenceMs(0) && waited >= silenceMs(gap)
    gap = last < 0 || isCalled ? 0 : waited
  }

  return {
    gapMs: () => gap,
    silentMs: () => silent,
    async head() {
      const nowMs = clock.nowMs()
      const head = await newest(nowMs)
      if (head.number !== last) grew()
      last = head.number
      silent = Math.max(0, nowMs - since)
      return head
    },
  }
}
