import { type RunId, roundNo } from '#base/ids.ts'
import { NAMING, NamedObjects, type Naming, type Spent, type UpTo } from './named-objects.ts'
import { readOn } from './read-on.ts'
import type { Site } from './site.ts'

/**
 * What a site deletes of its own copies: updates a day after their round ended, and, of sums and models over 1 MiB, all but
 * the last three and every tenth. Smaller ones stay for the study's life, so that the log can be replayed. Other members'
 * copies are theirs. What it remembers of this is a day of rounds (NamedObjects).
 */
export interface Retention {
  /** Looks at rounds that have ended since it last looked; cuts the journal; once a day looks for blocks that nothing names. */
  sweep(): Promise<void>
}

/** What of a site retention needs. */
export type RetentionSite = Pick<Site, 'chain' | 'store' | 'host' | 'journal' | 'dropOrphans'>

const SMALL_BYTES = 1024 * 1024
const ORPHANS_EVERY_MS = 24 * 3_600_000
/** Rounds that the journal knows behind the present one: a chain goes back by fewer, and a round is never contributed to twice. */
export const JOURNAL_ROUNDS = 64

export function createRetention(site: RetentionSite): Retention {
  const done = new Map<RunId, UpTo>()
  let objects = new NamedObjects()
  const readNews = readOn(site.chain, { kinds: NAMING })
  let orphansDueMs = Number.NEGATIVE_INFINITY

  async function drop({ cid, onlyLarge }: Spent): Promise<void> {
    if (onlyLarge && (await site.store.getSealed(cid, SMALL_BYTES)) !== null) return
    const was = await site.store.has(cid)
    // What is not whole has blocks too: those that a crash in the middle of dropping has left.
    await site.store.drop(cid)
    if (was) site.host.log.debug('retention.dropped', { cid })
  }

  async function look(): Promise<void> {
    const { events, anew } = await readNews()
    if (anew) {
      objects = new NamedObjects()
      done.clear()
    }
    for (const event of events as readonly Naming[]) objects.take(event)
  }

  /** Once a day the whole log is read: nothing else needs the names of all objects. */
  async function dropOrphans(now: number): Promise<void> {
    if (site.dropOrphans === undefined || site.host.clock.nowMs() < orphansDueMs) return
    orphansDueMs = site.host.clock.nowMs() + ORPHANS_EVERY_MS
    const all = new NamedObjects()
    for (const event of (await site.chain.events(0, { kinds: NAMING })) as readonly Naming[]) all.take(event)
    const blocks = await site.dropOrphans(all.sort(now).named.all())
    if (blocks > 0) site.host.log.info('retention.orphans', { blocks })
  }

  return {
    async sweep() {
      const { timestamp } = await site.chain.head()
      await look()
      const { runs, kept, named } = objects.sort(timestamp)
      for (const [run, { spent, upTo, round }] of runs) {
        const before = done.get(run) ?? { updates: 0, large: 0 }
        for (const object of spent) {
          const isNew = object.round > (object.onlyLarge ? before.large : before.updates)
          if (isNew && !(object.onlyLarge ? kept : named).has(object.cid)) await drop(object)
        }
        done.set(run, upTo)
        if (round > JOURNAL_ROUNDS) await site.journal.compact(run, roundNo(round - JOURNAL_ROUNDS))
      }
      objects.settle(timestamp)
      await dropOrphans(timestamp)
    },
  }
}
