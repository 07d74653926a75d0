import { RotaError } from '#base/errors.ts'
import type { AbstainReason } from '#ports/chain.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import type { Play } from '../play.ts'

/** Whether this cohort may be used: large enough, and not a handful of patients away from an earlier exact cohort. */
export async function whyNot(play: Play, cohort: ConsentedCohort): Promise<{ reason: AbstainReason; detail: string } | null> {
  const { protocol, exact } = play.study
  const rows = cohort.table.train.rows
  if (rows < protocol.cohort.minRows) return { reason: 'belowMinRows', detail: told(new RotaError('ROTA-3019', { rows, minRows: protocol.cohort.minRows })) }
  if (!exact) return null
  const verdict = await play.site.differencing.mayJoin(cohort.patients)
  if (verdict.ok) return null
  const { smallestDifference } = verdict
  return { reason: 'differencing', detail: told(new RotaError('ROTA-6005', { smallestDifference, minimum: LEAST_DIFFERENCE })) }
}

/** What the differencing ledger asks for (DESIGN section 8). */
const LEAST_DIFFERENCE = 10

/** The steward at this site reads it; nobody else does. */
const told = (error: RotaError): string => `${error.code} ${error.message}. ${error.remedy}`
