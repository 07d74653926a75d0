import type { Digest, RunId, StudyId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Site } from './site.ts'

/** A cohort that the chain shows this site used in an exact study, and that its own record does not know. */
export interface Forgotten {
  readonly root: Digest
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
  const unknown = [...seen.used].flatMap(([root, study]) => (known.has(root) ? [] : [{ root, study }]))
  const exact = await Promise.all(unknown.map(({ study }) => isExact(site, seen, study)))
  return unknown.filter((_, i) => exact[i])
}

/** What of the log was read: a few numbers a run and cohort, so that each event is looked at once. */
interface Seen {
  last: ChainEvent | null
  readonly studies: Map<RunId, StudyId>
  readonly used: Map<Digest, StudyId>
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
  if (last !== null && !news.some((e) => e.tx === last.tx && e.index === last.index)) news = await site.chain.events(0, { kinds: KINDS })
  for (const e of news) {
    if (e.kind === 'RunOpened') seen.studies.set(e.run, e.study)
    const study = e.kind === 'Contributed' && e.site === site.id ? seen.studies.get(e.run) : undefined
    if (e.kind === 'Contributed' && study !== undefined) seen.used.set(e.cohortRoot, study)
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
