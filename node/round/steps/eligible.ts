import { RotaError } from '#base/errors.ts'
import type { AbstainReason } from '#ports/chain.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import type { Differencing } from '#ports/differencing.ts'
import type { Play } from '../play.ts'
import type { Site } from '../site.ts'

export interface Refusal {
  readonly reason: AbstainReason
  readonly detail: string
}

/** Whether this cohort may be used: large enough, and not a handful of patients away from an earlier exact cohort. */
export async function whyNot(play: Play, cohort: ConsentedCohort): Promise<Refusal | null> {
  const { protocol, exact } = play.study
  const rows = cohort.table.train.rows
  if (rows < protocol.cohort.minRows) return { reason: 'belowMinRows', detail: told(new RotaError('ROTA-3019', { rows, minRows: protocol.cohort.minRows })) }
  return exact ? differenceOf(play.site, cohort) : null
}

const claims = new WeakMap<Differencing, Promise<unknown>>()

/**
 * Writes down that this cohort is used, unless it is now too near to another: two runs that train at the same time must not both pass
 * before either is written down.
 */
export function claimCohort(site: Pick<Site, 'differencing'>, cohort: Pick<ConsentedCohort, 'patients'>): Promise<Refusal | null> {
  const claim = async (): Promise<Refusal | null> => {
    const refusal = await differenceOf(site, cohort)
    if (refusal === null) await site.differencing.record(cohort.patients)
    return refusal
  }
  const mine = (claims.get(site.differencing) ?? Promise.resolve()).then(claim, claim)
  claims.set(site.differencing, mine)
  return mine
}

async function differenceOf({ differencing }: Pick<Site, 'differencing'>, { patients }: Pick<ConsentedCohort, 'patients'>): Promise<Refusal | null> {
  const verdict = await differencing.mayJoin(patients)
  if (verdict.ok) return null
  const { smallestDifference } = verdict
  return { reason: 'differencing', detail: told(new RotaError('ROTA-6005', { smallestDifference, minimum: LEAST_DIFFERENCE })) }
}

/** What the differencing ledger asks for (DESIGN section 8). */
const LEAST_DIFFERENCE = 10

/** The steward at this site reads it; nobody else does. */
const told = (error: RotaError): string => `${error.code} ${error.message}. ${error.remedy}`
