import type { ChainEvent, ChainReader } from '#ports/chain.ts'

/** What was read of the log just now. */
export interface Reading {
  readonly events: readonly ChainEvent[]
  /** The chain went back: `events` are all, and what was read before counts for nothing. */
  readonly anew: boolean
}

/**
 * Reads a part of the log on: all of it the first time, then what is new, so that a long history is not gone through again and again: a
 * node keeps the newest events in memory and reads the older ones from its disk.
 */
export function readOn(chain: Pick<ChainReader, 'events'>, filter?: Parameters<ChainReader['events']>[1]): () => Promise<Reading> {
  let last: ChainEvent | null = null
  return async () => {
    const before = last
    const since = await chain.events(before?.block ?? 0, filter)
    const at = before === null ? -1 : since.findLastIndex((e) => e.block === before.block && e.index === before.index && e.tx === before.tx)
    const anew = before !== null && at < 0
    const events = anew ? await chain.events(0, filter) : since.slice(at + 1)
    last = events.at(-1) ?? (anew ? null : before)
    return { events, anew }
  }
}
