import type { RunId } from '#base/ids.ts'
import type { ChainEvent, ChainReader } from '#ports/chain.ts'
import { readOn } from '#round/read-on.ts'

/** Reads what is new, and of a run no more than the rounds that may still change: a look costs the same however long the run is. */
export interface RecentRounds {
  /** Runs of which something new is on chain. */
  changed(): Promise<ReadonlySet<RunId>>
  /** A run's opening, and all events since a round of it opened: of the rounds since it was last settled, and of those before that may still change. */
  of(run: RunId): Promise<readonly ChainEvent[]>
  /** What `of` gave has been dealt with. */
  settle(run: RunId): void
}

/** The chain's ring: an older round cannot be disputed any more, nor end. */
const KEPT_ROUNDS = 8

export function recentRounds(chain: Pick<ChainReader, 'events'>): RecentRounds {
  /** Blocks in which rounds opened, oldest first. */
  const openings = new Map<RunId, number[]>()
  const readNews = readOn(chain)
  const since = (run: RunId): number => openings.get(run)?.[0] ?? 0

  function note(event: ChainEvent): void {
    if (event.kind !== 'RoundOpened') return
    const known = openings.get(event.run)
    if (known === undefined) openings.set(event.run, [event.block])
    else known.push(event.block)
  }

  return {
    async changed() {
      const { events, anew } = await readNews()
      if (anew) openings.clear()
      for (const event of events) note(event)
      return new Set(events.flatMap((e) => ('run' in e ? [e.run] : [])))
    },
    async of(run) {
      const opened = await chain.events(0, { run, kinds: ['RunOpened'] })
      return [...opened, ...(await chain.events(since(run))).filter((e) => e.kind !== 'RunOpened')]
    },
    settle: (run) => void openings.set(run, (openings.get(run) ?? []).slice(-KEPT_ROUNDS)),
  }
}
