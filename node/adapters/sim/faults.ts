import { type SiteId, siteId } from '#base/ids.ts'
import type { ChainWriter } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { SimRandom } from './random.ts'

/** What goes wrong in a simulated world. Plain data: print it, and the run can be told and played again. */
export interface FaultPlan {
  readonly gossip: GossipFaults
  readonly crashes: readonly Crash[]
  /** Never let a publication leave, and say nothing: a leader that is passed over. */
  readonly silent: readonly SiteId[]
  /** Publish sums with one bit turned, under a matching root. */
  readonly liars: readonly SiteId[]
  /** Keep back what others ask of them: updates on chain that no custodian can fetch. */
  readonly withholding: readonly SiteId[]
  /** Sites that start later than the others. */
  readonly late: readonly { readonly site: SiteId; readonly afterMs: number }[]
  /** A site's clock minus the world's. */
  readonly clockOffsets: readonly { readonly site: SiteId; readonly offsetMs: number }[]
}

export interface GossipFaults {
  /** Probability that one receiver misses a message. */
  readonly loss: number
  /** Probability that one receiver gets it twice. */
  readonly duplicate: number
  /** Probability that one receiver gets it `slowMs` later, after others that were sent later. */
  readonly delay: number
  readonly slowMs: number
}

/** Where a site's work can be seen from outside: each is a moment before and a moment after. */
export type CrashPoint = `journal.${JournalEntry['kind']}` | `chain.${keyof ChainWriter}` | 'store.put' | 'store.get' | 'gossip.publish'

/** The site dies at that moment; what it had in memory is gone, its disk stays. */
export interface Crash {
  readonly site: SiteId
  readonly point: CrashPoint
  readonly when: 'before' | 'after'
  /** At the nth time it gets there, from 1, over all its lives. */
  readonly nth: number
  /** null: it stays down. */
  readonly backAfterMs: number | null
}

export const NO_FAULTS: FaultPlan = {
  gossip: { loss: 0, duplicate: 0, delay: 0, slowMs: 0 },
  crashes: [],
  silent: [],
  liars: [],
  withholding: [],
  late: [],
  clockOffsets: [],
}

/** The moments of an ordinary round, in its order. */
export const CRASH_POINTS: readonly CrashPoint[] = [
  'store.get',
  'store.put',
  'journal.contributed',
  'chain.contribute',
  'gossip.publish',
  'journal.witnessed',
  'chain.witness',
  'journal.frozen',
  'journal.published',
  'chain.publish',
  'journal.attested',
  'chain.attest',
  'journal.adopted',
  'chain.tick',
]

/**
 * Draws what goes wrong for `sites` sites so that more than half of them stay alive and honest: then every round must close.
 * At most one fault falls on a site; crashed sites come back.
 */
export function drawFaults(random: SimRandom, sites: number): FaultPlan {
  const order = Array.from({ length: sites }, (_, i) => siteId(i))
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.int(0, i)
    ;[order[i], order[j]] = [order[j] as SiteId, order[i] as SiteId]
  }
  const faulty = order.slice(0, random.int(0, Math.floor((sites - 1) / 2)))
  const plan = {
    crashes: [] as Crash[],
    silent: [] as SiteId[],
    liars: [] as SiteId[],
    withholding: [] as SiteId[],
    late: [] as { site: SiteId; afterMs: number }[],
  }
  for (const site of faulty) drawFault(random, site, plan)
  const gossip = { loss: random.fraction() * 0.5, duplicate: random.fraction() * 0.2, delay: random.fraction() * 0.3, slowMs: random.int(100, 10_000) }
  return { ...NO_FAULTS, ...plan, gossip }
}

function drawFault(
  random: SimRandom,
  site: SiteId,
  plan: { crashes: Crash[]; silent: SiteId[]; liars: SiteId[]; withholding: SiteId[]; late: { site: SiteId; afterMs: number }[] },
): void {
  const crash = () => plan.crashes.push(drawCrash(random, site))
  const kinds = [
    crash,
    crash,
    crash,
    () => plan.silent.push(site),
    () => plan.liars.push(site),
    () => plan.withholding.push(site),
    () => plan.late.push({ site, afterMs: random.int(0, 60_000) }),
  ]
  random.pick(kinds)()
}

const drawCrash = (random: SimRandom, site: SiteId): Crash => ({
  site,
  point: random.pick(CRASH_POINTS),
  when: random.pick(['before', 'after'] as const),
  nth: random.int(1, 4),
  backAfterMs: random.int(0, 60_000),
})
