import { has } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import { neighboursOf } from '#core/masking/graph.ts'
import { abstain, consentedCohort, type Refusal } from '#round/steps/contribute.ts'
import { whyNot } from '#round/steps/eligible.ts'
import type { Play, Round } from '../play.ts'
import { maskedOf } from './masked-round.ts'

/** Ends the others' waiting for a site that would not be hidden among them, or whose secrets are gone. */
export function sitOut(play: Play, round: Round): Promise<void> {
  const { terms, keyed, among, groups } = maskedOf(play, round)
  const { id } = play.site
  const lacking = new RotaError('ROTA-2328', { site: id, neighbours: neighboursOf(id, keyed), threshold: terms.threshold - 1 })
  const isRepeat = groups !== null || !has(among, id)
  return abstain(play, round, 'unspecified', told(isRepeat ? new RotaError('ROTA-2330', { site: id }) : lacking))
}

/** Why this site would contribute nothing, as far as it can tell before it trains; null when it would. */
export async function foreseenRefusal(play: Play): Promise<Refusal | null> {
  if (await play.site.diskFull()) return { reason: 'noDisk', detail: told(new RotaError('ROTA-5513')) }
  const patients = await consentedCohort(play)
  return 'table' in patients ? whyNot(play, patients) : patients
}

const told = (error: RotaError): string => `${error.code} ${error.message}. ${error.remedy}`
