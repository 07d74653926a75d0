import type { AbstainReason } from '#ports/chain.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import type { Play } from '../play.ts'

/** Whether this cohort may be used: large enough, and not a handful of patients away from an earlier exact cohort. */
export async function whyNot(play: Play, cohort: ConsentedCohort): Promise<{ reason: AbstainReason; detail: string } | null> {
  const { protocol, exact } = play.study
  const rows = cohort.table.train.rows
  if (rows < protocol.cohort.minRows) return { reason: 'belowMinRows', detail: `${rows} train rows, the protocol asks for ${protocol.cohort.minRows}` }
  if (!exact) return null
  const verdict = await play.site.differencing.mayJoin(cohort.patients)
  if (verdict.ok) return null
  return {
    reason: 'differencing',
    detail: `this cohort differs by ${verdict.smallestDifference} patients from one used before in an exact run; their data could be read off the difference of the results. At least 10 (or none) must differ`,
  }
}
