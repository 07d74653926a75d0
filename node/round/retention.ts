import type { Digest } from '#base/ids.ts'
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

/** Whatever names an object. */
const NAMING = ['StudyPublished', 'EpochPublished', 'RunOpened', 'Contributed', 'Published', 'RoundClosed', 'RoundRefused', 'RoundVoid'] as const
type Naming = Extract<ChainEvent, { kind: (typeof NAMING)[number] }>
type Ended = Extract<Naming, { kind: 'RoundClosed' | 'RoundRefused' | 'RoundVoid' }>

export function createRetention(site: Pick<Site, 'chain' | 'store' | 'host'>): Retention {
  const swept = new Set<Digest>()

  async function drop({ cid, onlyLarge }: Spent): Promise<void> {
    if (swept.has(cid)) return
    swept.add(cid)
    if (!(await site.store.has(cid))) return
    if (onlyLarge && (await site.store.getSealed(cid, SMALL_BYTES)) !== null) return
    await site.store.drop(cid)
    site.host.log.debug('retention.dropped', { cid })
  }

  return {
    async sweep() {
      const { timestamp } = await site.chain.head()
      const events = (await site.chain.events(0, { kinds: NAMING })) as readonly Naming[]
      const kept = new Set<Digest>()
      const spent: Spent[] = []
      for (const event of events) if (event.kind === 'StudyPublished') kept.add(event.protocolCid)
      for (const event of events) if (event.kind === 'EpochPublished') kept.add(event.bundle)
      for (const ofRun of Map.groupBy(events, (e) => ('run' in e ? e.run : null)).values()) sortRun(ofRun, timestamp, kept, spent)
      for (const object of spent) if (!kept.has(object.cid)) await drop(object)
    },
  }
}

interface Spent {
  readonly cid: Digest
  /** Kept while it is small. */
  readonly onlyLarge: boolean
}

/**
 * What of a run is kept and what is spent. A member may name any object as its update, the study's protocol too: what is kept under
 * one name is never deleted under another.
 */
function sortRun(events: readonly Naming[], now: number, kept: Set<Digest>, spent: Spent[]): void {
  const ended = events.filter((e): e is Ended => e.kind === 'RoundClosed' || e.kind === 'RoundRefused' || e.kind === 'RoundVoid')
  const old = new Set(ended.filter((e) => now - e.timestamp >= UPDATE_LIFE_S).map((e) => e.round))
  const closed = ended.filter((e) => e.kind === 'RoundClosed')
  const thinned = new Set(closed.slice(0, -KEEP_LAST).flatMap((e) => (e.round % KEEP_EVERY === 0 ? [] : [e.round])))
  const attempts = new Map(closed.map((e) => [e.round, e.attempt]))
  const sort = (isSpent: boolean, cid: Digest, onlyLarge: boolean): void => void (isSpent ? spent.push({ cid, onlyLarge }) : kept.add(cid))
  for (const e of events) {
    if (e.kind === 'RunOpened' || e.kind === 'RoundRefused') kept.add(e.modelCid)
    else if (e.kind === 'Contributed') sort(old.has(e.round), e.cid, false)
    else if (e.kind === 'RoundClosed') sort(thinned.has(e.round), e.modelCid, true)
    // A publication that was discarded keeps nothing.
    else if (e.kind === 'Published' && (thinned.has(e.round) || attempts.get(e.round) === e.attempt)) sort(thinned.has(e.round), e.sumCid, true)
  }
}
