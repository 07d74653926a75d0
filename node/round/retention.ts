import { type Digest, type RoundNo, type RunId, roundNo } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Site } from './site.ts'

/**
 * What a site deletes of its own copies: updates a day after their round ended, and, of sums and models over 1 MiB, all but
 * the last three and every tenth. Smaller ones stay for the study's life, so that the log can be replayed. Other members'
 * copies are theirs. What it remembers of this is two numbers a run.
 */
export interface Retention {
  /** Looks at rounds that have ended since it last looked; cuts the journal; once a day looks for blocks that nothing names. */
  sweep(): Promise<void>
}

/** What of a site retention needs. */
export type RetentionSite = Pick<Site, 'chain' | 'store' | 'host' | 'journal' | 'dropOrphans'>

const UPDATE_LIFE_S = 24 * 3600
const KEEP_LAST = 3
const KEEP_EVERY = 10
const SMALL_BYTES = 1024 * 1024
const ORPHANS_EVERY_MS = 24 * 3_600_000
/** Rounds that the journal knows behind the present one: a chain goes back by fewer, and a round is never contributed to twice. */
export const JOURNAL_ROUNDS = 64

/** Whatever names an object. */
const NAMING = ['StudyPublished', 'EpochPublished', 'RunOpened', 'RoundOpened', 'Contributed', 'Published', 'RoundClosed', 'RoundRefused', 'RoundVoid'] as const
type Naming = Extract<ChainEvent, { kind: (typeof NAMING)[number] }>
type OfRun = Extract<Naming, { run: RunId }>
type Ended = Extract<Naming, { kind: 'RoundClosed' | 'RoundRefused' | 'RoundVoid' }>

/** Up to which round of a run updates, and large sums and models, were dealt with. */
interface Done {
  readonly updates: number
  readonly large: number
}

export function createRetention(site: RetentionSite): Retention {
  const done = new Map<RunId, Done>()
  let orphansDueMs = Number.NEGATIVE_INFINITY

  async function drop({ cid, onlyLarge }: Spent): Promise<void> {
    if (onlyLarge && (await site.store.getSealed(cid, SMALL_BYTES)) !== null) return
    const was = await site.store.has(cid)
    // What is not whole has blocks too: those that a crash in the middle of dropping has left.
    await site.store.drop(cid)
    if (was) site.host.log.debug('retention.dropped', { cid })
  }

  async function dropOrphans(named: ReadonlySet<Digest>): Promise<void> {
    if (site.dropOrphans === undefined || site.host.clock.nowMs() < orphansDueMs) return
    orphansDueMs = site.host.clock.nowMs() + ORPHANS_EVERY_MS
    const blocks = await site.dropOrphans(named)
    if (blocks > 0) site.host.log.info('retention.orphans', { blocks })
  }

  return {
    async sweep() {
      const { timestamp } = await site.chain.head()
      const events = (await site.chain.events(0, { kinds: NAMING })) as readonly Naming[]
      const sorted = sort(events, timestamp)
      for (const [run, { spent, upTo, round }] of sorted.runs) {
        const before = done.get(run) ?? { updates: 0, large: 0 }
        for (const object of spent) {
          const isNew = object.round > (object.onlyLarge ? before.large : before.updates)
          if (isNew && !(object.onlyLarge ? sorted.kept : sorted.named).has(object.cid)) await drop(object)
        }
        done.set(run, upTo)
        if (round > JOURNAL_ROUNDS) await site.journal.compact(run, roundNo(round - JOURNAL_ROUNDS))
      }
      await dropOrphans(sorted.named)
    },
  }
}

interface Spent {
  readonly cid: Digest
  readonly round: RoundNo
  /** Kept while it is small. */
  readonly onlyLarge: boolean
}

interface SortedRun {
  readonly spent: readonly Spent[]
  readonly upTo: Done
  /** The last opened. */
  readonly round: RoundNo
}

interface Sorted {
  readonly runs: ReadonlyMap<RunId, SortedRun>
  /**
   * A member may name any object as its update, the study's protocol too: what is kept under one name is never deleted under
   * another.
   */
  readonly kept: ReadonlySet<Digest>
  /** These, and what is kept while it is small: all that may lie on this disk by its name on the chain. */
  readonly named: ReadonlySet<Digest>
}

function sort(events: readonly Naming[], now: number): Sorted {
  const kept = new Set<Digest>()
  for (const event of events) if (event.kind === 'StudyPublished') kept.add(event.protocolCid)
  for (const event of events) if (event.kind === 'EpochPublished') kept.add(event.bundle)
  const runs = new Map<RunId, SortedRun>()
  const named = new Set<Digest>()
  const ofRuns = events.filter((e): e is OfRun => 'run' in e)
  for (const [run, ofRun] of Map.groupBy(ofRuns, (e) => e.run)) {
    const sorted = sortRun(ofRun, now, kept)
    runs.set(run, sorted)
    for (const { cid, onlyLarge } of sorted.spent) if (onlyLarge) named.add(cid)
  }
  for (const cid of kept) named.add(cid)
  return { runs, kept, named }
}

/** What of a run is spent; what is not goes to `kept`. */
function sortRun(events: readonly OfRun[], now: number, kept: Set<Digest>): SortedRun {
  const ended = events.filter((e): e is Ended => e.kind === 'RoundClosed' || e.kind === 'RoundRefused' || e.kind === 'RoundVoid')
  const old = new Set(ended.filter((e) => now - e.timestamp >= UPDATE_LIFE_S).map((e) => e.round))
  // A refused round leaves a model too: the same weights, with its refusals one up.
  const made = ended.filter((e) => e.kind !== 'RoundVoid')
  const passed = made.slice(0, -KEEP_LAST)
  const thinned = new Set(passed.flatMap((e) => (e.round % KEEP_EVERY === 0 ? [] : [e.round])))
  const attempts = new Map(ended.map((e) => [e.round, e.kind === 'RoundVoid' ? NONE : e.attempt]))
  const spent: Spent[] = []
  const put = (isSpent: boolean, round: RoundNo, cid: Digest, onlyLarge: boolean): void =>
    void (isSpent ? spent.push({ cid, round, onlyLarge }) : kept.add(cid))
  for (const e of events) {
    if (e.kind === 'RunOpened') kept.add(e.modelCid)
    else if (e.kind === 'Contributed') put(old.has(e.round), e.round, e.cid, false)
    else if (e.kind === 'RoundClosed' || e.kind === 'RoundRefused') put(thinned.has(e.round), e.round, e.modelCid, true)
    else if (e.kind === 'Published' && isOfResult(e, attempts)) put(thinned.has(e.round), e.round, e.sumCid, true)
  }
  const upTo = { updates: ended.findLast((e) => old.has(e.round))?.round ?? 0, large: passed.at(-1)?.round ?? 0 }
  return { spent, upTo, round: events.findLast((e) => e.kind === 'RoundOpened')?.round ?? roundNo(0) }
}

/** Attempt of a void round's result. */
const NONE = -1

/** A publication that was discarded keeps nothing, once its round has ended; before that nobody knows yet. */
const isOfResult = (published: Extract<OfRun, { kind: 'Published' }>, attempts: ReadonlyMap<RoundNo, number>): boolean =>
  (attempts.get(published.round) ?? published.attempt) === published.attempt
