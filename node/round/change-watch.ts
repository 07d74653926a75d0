import type { ChainEventBody, ChainReader } from '#ports/chain.ts'

/** Tells whether an event of some kinds has come since it was last asked, so that what they change is not read at every wake. */
export interface ChangeWatch {
  changed(): Promise<boolean>
  /** Block of the newest event seen, of any kind. */
  seenBlock(): number
}

export function watchChanges(chain: Pick<ChainReader, 'events'>, kinds: readonly ChainEventBody['kind'][]): ChangeWatch {
  let at = { block: 0, index: -1 }
  return {
    async changed() {
      const news = (await chain.events(at.block)).filter((e) => e.block > at.block || e.index > at.index)
      at = news.at(-1) ?? at
      return news.some((e) => kinds.includes(e.kind))
    },
    seenBlock: () => at.block,
  }
}
