import { isWorse } from '#core/learner/local-loss.ts'
import type { Model } from '#core/model/model.ts'
import type { Play, Round } from '../play.ts'
import { consentedCohort } from './contribute.ts'

/**
 * This site's vote on a model, by its own test rows: whether it refuses it. Where it cannot tell, and where the protocol has no votes, it does not. Of
 * the rows nothing else leaves the site.
 */
export async function votesAgainst(play: Play, round: Round, candidate: Model): Promise<boolean> {
  const { protocol } = play.study
  if (protocol.validation === undefined || protocol.validation.tolerance === 'none') return false
  const patients = await consentedCohort(play)
  return 'table' in patients && isWorse(round.base.model, candidate, protocol, patients.table, protocol.validation)
}
