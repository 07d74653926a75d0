import type { RunId, StudyId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Site } from './site.ts'
import type { CommittedCohort } from './steps/withdrawn.ts'

/** The cohort of an exact run of this site that its own record does not know, as it stood in the first round that the site was in. */
export interface Forgotten extends CommittedCohort {
  readonly study: StudyId
}

type LedgerSite = Pick<Site, 'id' | 'chain' | 'differencing'>

/**
 * Which cohorts this site used and has forgotten: none, unless its record was restored from an old copy or lost. Each contribution to an
 * exact run carries its cohort's commitment on chain, which nobody can take back. Whoever was in such a cohort is not known here any
 * more, so that no other cohort can be said to be far enough from it.
 */
export async function forgottenCohorts(site: LedgerSite): Promise<readonly Forgotten[]> {
  const seen = await look(site)
  const known = await site.differencing.roots()
  const unknown = [...seen.used.values()].flatMap((used) => (known.has(used.root) ? [] : [used]))
  const exact = await Promise.all(unknown.map(({ study }) => isExact(site, seen, study)))
  return unknown.filter((_, i) => exact[i])
}

/** Whether the record has the cohort of this run. */
export async function isRecorded(site: LedgerSite, run: RunId): Promise<boolean> {
  const used = (await look(site)).used.get(run)
  return used !== undefined && (await site.differencing.roots()).has(used.root)
}

/** What this site began a run with; undefined while nothing of it is on chain. */
export const firstUsed = async (site: LedgerSite, run: RunId): Promise<CommittedCohort | undefined> => (await look(site)).used.get(run)

/** What of the log was read: a few words a run, so that each event is looked at once. */
interface Seen {
  last: ChainEvent | null
  readonly studies: Map<RunId, StudyId>
  /** By the first contribution to each run. */
  readonly used: Map<RunId, Forgotten>
  /** Whether a study is exact never changes. */
  readonly exact: Map<StudyId, boolean>
}

const bySite = new WeakMap<LedgerSite['differencing'], Seen>()

async function look(site: LedgerSite): Promise<Seen> {
  const seen = bySite.get(site.differencing) ?? { last: null, studies: new Map(), used: new Map(), exact: new Map() }
  bySite.set(site.differencing, seen)
  const { last } = seen
  let news = await site.chain.events(last?.block ?? 0, { kinds: KINDS })
  // A chain that went back no longer has what was read last: all is read again.
  if (last !== null && !news.some((e) => e.tx === last.tx && e.index === last.index)) {
    news = await site.chain.events(0, { kinds: KINDS })
    seen.used.clear()
  }
  for (const e of news) {
    if (e.kind === 'RunOpened') seen.studies.set(e.run, e.study)
    const study = e.kind === 'Contributed' && e.site === site.id ? seen.studies.get(e.run) : undefined
    if (e.kind === 'Contributed' && study !== undefined && !seen.used.has(e.run))
      seen.used.set(e.run, { run: e.run, study, round: e.round, root: e.cohortRoot })
  }
  seen.last = news.at(-1) ?? seen.last
  return seen
}

const KINDS = ['RunOpened', 'Contributed'] as const

async function isExact({ chain }: LedgerSite, { exact }: Seen, study: StudyId): Promise<boolean> {
  const is = exact.get(study) ?? (await chain.study(study)).rules.exact
  exact.set(study, is)
  return is
}
