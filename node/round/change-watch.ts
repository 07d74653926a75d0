import type { ChainEvent, ChainEventBody, ChainReader } from '#ports/chain.ts'

/** Tells whether an event of some kinds has come since it was last asked, so that what they change is not read at every wake. */
export interface ChangeWatch {
  changed(): Promise<boolean>
  /** Block of the newest event seen, of any kind. */
  seenBlock(): number
}

type Kinds = readonly ChainEventBody['kind'][]
interface Place {
  readonly block: number
  readonly index: number
}

/** Simulated sites are handed one array of events for each state of the chain: it is looked through once for all that stand at the same place. */
const looked = new WeakMap<readonly ChainEvent[], { readonly from: Place; readonly kinds: Kinds; readonly changed: boolean }>()

function changedSince(events: readonly ChainEvent[], from: Place, kinds: Kinds): boolean {
  const known = looked.get(events)
  if (known !== undefined && known.kinds === kinds && known.from.block === from.block && known.from.index === from.index) return known.changed
  const changed = events.some((e) => (e.block > from.block || (e.block === from.block && e.index > from.index)) && kinds.includes(e.kind))
  looked.set(events, { from, kinds, changed })
  return changed
}

export function watchChanges(chain: Pick<ChainReader, 'events'>, kinds: Kinds): ChangeWatch {
  let at: Place = { block: 0, index: -1 }
  return {
    async changed() {
      const events = await chain.events(at.block)
      const changed = changedSince(events, at, kinds)
      const last = events.at(-1)
      if (last !== undefined && (last.block > at.block || last.index > at.index)) at = last
      return changed
    },
    seenBlock: () => at.block,
  }
}
