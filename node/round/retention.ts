import type { Digest, RunId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Site } from './site.ts'

/**
 * What a site deletes of its own copies: updates a day after their round ended, and, of sums and models over 1 MiB, all but
 * the last three and every tenth. Smaller ones stay for the study's life, so that the log can be replayed. Other members'
 * copies are theirs.
 */
export interface Retention {
  /** Looks at rounds that have ended since it last looked. */
  sweep(): Promise<void>
}

const UPDATE_LIFE_S = 24 * 3600
const KEEP_LAST = 3
const KEEP_EVERY = 10
const SMALL_BYTES = 1024 * 1024

type Ended = Extract<ChainEvent, { kind: 'RoundClosed' | 'RoundRefused' | 'RoundVoid' }>

export function createRetention(site: Pick<Site, 'chain' | 'store' | 'host'>): Retention {
  const swept = new Set<Digest>()

  async function drop(cid: Digest, onlyLarge: boolean): Promise<void> {
    if (swept.has(cid)) return
    swept.add(cid)
    if (!(await site.store.has(cid))) return
    if (onlyLarge && (await site.store.getSealed(cid, SMALL_BYTES)) !== null) return
    await site.store.drop(cid)
    site.host.log.debug('retention.dropped', { cid })
  }

  async function sweepRun(run: RunId, now: number): Promise<void> {
    const events = await site.chain.events(0, { run, kinds: ['Contributed', 'Published', 'RoundClosed', 'RoundRefused', 'RoundVoid'] })
    const ended = events.filter((e): e is Ended => e.kind === 'RoundClosed' || e.kind === 'RoundRefused' || e.kind === 'RoundVoid')
    const old = new Set(ended.filter((e) => now - e.timestamp >= UPDATE_LIFE_S).map((e) => e.round))
    for (const e of events) if (e.kind === 'Contributed' && old.has(e.round)) await drop(e.cid, false)
    const closed = ended.filter((e) => e.kind === 'RoundClosed')
    const thinned = new Set(closed.slice(0, -KEEP_LAST).flatMap((e) => (e.round % KEEP_EVERY === 0 ? [] : [e.round])))
    for (const e of closed) if (e.kind === 'RoundClosed' && thinned.has(e.round)) await drop(e.modelCid, true)
    for (const e of events) if (e.kind === 'Published' && thinned.has(e.round)) await drop(e.sumCid, true)
  }

  return {
    async sweep() {
      const { timestamp } = await site.chain.head()
      for (const { run } of await site.chain.runs()) await sweepRun(run, timestamp)
    },
  }
}
