import { type RoundNo, type RunId, roundNo } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { JOURNAL_ROUNDS } from './retention.ts'
import type { Site } from './site.ts'

/** What is needed to bring a journal up to the chain. */
type JournalSite = Pick<Site, 'id' | 'chain' | 'journal' | 'host' | 'restored'>

/** Of these a site journals each before it goes out. */
const ACTS = { Keyed: 'keyed', Justified: 'justified', Contributed: 'contributed', Abstained: 'abstained', Attested: 'attested' } as const
type Act = Extract<ChainEvent, { kind: keyof typeof ACTS }>
type Opened = Extract<ChainEvent, { kind: 'RoundOpened' }>
/** The chain's ring: what this site did in older rounds can no longer matter. */
const LOOKED_AT = 8

/**
 * A journal that is older than the chain (restored from a backup or an old copy of the disk, or lost) does not know which rounds
 * this site has sent a vector to. Before such a run is played, every round up to the present one is settled: what the chain
 * shows as contributed is written down as it stands there, and to the others this site contributes nothing. From the next round on it takes part.
 * Guarantee: never two vectors for one round, whatever of the old one's is still on its way; no person is needed, and one round is missed at most.
 * A journal that knows all that the chain shows is left as it is.
 */
export async function settleOldJournal(site: JournalSite, run: RunId): Promise<void> {
  const events = await site.chain.events(0, { run, kinds: ['RoundOpened', 'Keyed', 'Justified', 'Contributed', 'Abstained', 'Attested'] })
  const opened = events.filter((e): e is Opened => e.kind === 'RoundOpened')
  const present = opened.at(-1)?.round
  const entries = site.journal.entries().filter((entry) => entry.run === run)
  if (present === undefined || !isOld(site, present, events, entries)) return
  const mine = events.filter((e) => e.kind === 'Contributed' && e.site === site.id)
  const last = mine.at(-1)
  const settled = new Set(entries.flatMap((entry) => (entry.kind === 'contributed' || entry.kind === 'abstained' ? [entry.round] : [])))
  for (const { round, baseRoot } of opened) {
    const sent = mine.findLast((e) => e.kind === 'Contributed' && e.round === round)
    // The last contribution says what cohort an exact run began with, however long ago it was.
    if (settled.has(round) || (round + JOURNAL_ROUNDS <= present && sent !== last)) continue
    const at = { run, round }
    if (sent?.kind === 'Contributed')
      await site.journal.append({ kind: 'contributed', ...at, base: baseRoot, root: sent.root, cid: sent.cid, cohortRoot: sent.cohortRoot })
    else if (round + JOURNAL_ROUNDS > present) await site.journal.append({ kind: 'abstained', ...at, reason: 'maintenance' })
  }
  site.host.log.warn('journal.settled', { run, round: present })
}

/** Restored, or the chain shows an act of this site that it does not know. */
function isOld(site: JournalSite, present: RoundNo, events: readonly ChainEvent[], entries: readonly JournalEntry[]): boolean {
  if (site.restored?.is() === true) return true
  const recent = events.filter((e): e is Act => e.kind in ACTS && 'site' in e && e.site === site.id && 'round' in e && e.round > roundNo(present - LOOKED_AT))
  return recent.some((act) => !entries.some((entry) => entry.kind === ACTS[act.kind] && entry.round === act.round))
}
