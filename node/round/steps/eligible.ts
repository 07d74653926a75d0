import { RotaError } from '#base/errors.ts'
import type { StudyId } from '#base/ids.ts'
import type { AbstainReason } from '#ports/chain.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import type { Differencing } from '#ports/differencing.ts'
import { type Forgotten, forgottenCohorts, isRecorded } from '../forgotten-cohorts.ts'
import type { Play } from '../play.ts'
import type { Site } from '../site.ts'
import { loadStudy } from '../study.ts'
import { usedCohort } from './used-cohort.ts'
import { type CommittedCohort, isStill, withdrawnTags } from './withdrawn.ts'

export interface Refusal {
  readonly reason: AbstainReason
  readonly detail: string
}

/** Whether this cohort may be used: large enough, and neither who trains nor who tests a handful of patients away from an earlier exact cohort. */
export async function whyNot(play: Play, cohort: ConsentedCohort): Promise<Refusal | null> {
  const { protocol, exact } = play.study
  const rows = cohort.table.train.rows
  if (rows < protocol.cohort.minRows) return { reason: 'belowMinRows', detail: told(new RotaError('ROTA-3019', { rows, minRows: protocol.cohort.minRows })) }
  if (!exact) return null
  await settleForgotten(play, cohort)
  return differenceOf(play.site, cohort)
}

/**
 * What an old copy of the record forgot is written down again where this site can still tell who it was: the cohort that a study has
 * here now, when its commitment is the one on chain.
 */
async function settleForgotten({ site, study }: Play, cohort: ConsentedCohort): Promise<void> {
  const forgotten = await forgottenCohorts(site)
  if (forgotten.length === 0) return
  const isThis = (each: Forgotten): boolean => isStill(cohort, each)
  for (const { root } of forgotten.filter(isThis)) await site.differencing.record(cohort.patients, root, cohort.testing)
  for (const of of new Set(forgotten.filter((each) => !isThis(each)).map((each) => each.study))) {
    if (of === study.id) continue
    const now = await cohortOf(site, of).catch(unlessTrouble)
    if (now === null) continue
    for (const { root } of forgotten.filter((each) => isStill(now, each))) await site.differencing.record(now.patients, root, now.testing)
  }
}

async function cohortOf(site: Site, id: StudyId): Promise<ConsentedCohort> {
  const other = await loadStudy(site, id, NEVER)
  return usedCohort({ site, study: other }, await site.cohort.consented(other.protocol, await withdrawnTags({ site, study: other })))
}

const NEVER = new AbortController().signal

/** Data that do not fit another study, or a protocol that nobody gives just now: then it stays forgotten. */
function unlessTrouble(error: unknown): null {
  if (!(error instanceof RotaError)) throw error
  return null
}

const claims = new WeakMap<Differencing, Promise<unknown>>()

/**
 * Writes down that this cohort is used, unless it is now too near to another: two runs that train at the same time must not both pass
 * before either is written down.
 * @param changed it is not the one that the run began with
 */
export function claimCohort(site: ClaimSite, cohort: Claimed, as: CommittedCohort, changed = false): Promise<Refusal | null> {
  const claim = async (): Promise<Refusal | null> => {
    const refusal = await differenceOf(site, cohort)
    // The cohort of an exact run is one, until it is halted: with its first round it is written down.
    if (refusal === null && (changed || !(await isRecorded(site, as.run)))) await site.differencing.record(cohort.patients, as.root, cohort.testing)
    return refusal
  }
  const mine = (claims.get(site.differencing) ?? Promise.resolve()).then(claim, claim)
  claims.set(site.differencing, mine)
  return mine
}

type ClaimSite = Pick<Site, 'id' | 'chain' | 'differencing'>
type Claimed = Pick<ConsentedCohort, 'patients' | 'testing' | 'rootIn'>

async function differenceOf(site: ClaimSite, cohort: Claimed): Promise<Refusal | null> {
  const forgotten = (await forgottenCohorts(site)).filter((used) => !isStill(cohort, used))
  if (forgotten.length > 0) return { reason: 'differencing', detail: told(new RotaError('ROTA-6008', { cohorts: forgotten.length })) }
  const verdict = await site.differencing.mayJoin(cohort.patients, cohort.testing)
  if (verdict.ok) return null
  const { smallestDifference, part } = verdict
  return { reason: 'differencing', detail: told(new RotaError('ROTA-6005', { smallestDifference, part, minimum: LEAST_DIFFERENCE })) }
}

/** What the differencing ledger asks for, of those who train and of those who test (DESIGN section 8). */
const LEAST_DIFFERENCE = 10

/** The steward at this site reads it; nobody else does. */
const told = (error: RotaError): string => `${error.code} ${error.message}. ${error.remedy}`
