import { has } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import { noPlace } from '#core/masking/graph.ts'
import { abstain, consentedCohort, type Refusal } from '#round/steps/contribute.ts'
import { whyNot } from '#round/steps/eligible.ts'
import type { Play, Round } from '../play.ts'
import { isDrawn, type MaskedRound, maskedOf } from './masked-round.ts'

/** Ends the others' waiting for a site that would not be hidden among them, or whose secrets are gone. */
export function sitOut(play: Play, round: Round): Promise<void> {
  const { terms, keyed, among, groups } = maskedOf(play, round)
  const { id } = play.site
  const isRepeat = groups !== null || !has(among, id)
  const inRepeat = new RotaError(isDrawn(play.study, round.base.model) ? 'ROTA-2333' : 'ROTA-2330', { site: id })
  return abstain(play, round, 'unspecified', told(isRepeat ? inRepeat : noPlace(id, terms, keyed, play.site.sha256)))
}

/** A site that could not contribute anyway says so before it keys: whoever keys and then drops out has to be unmasked by the others. @returns whether it did */
export async function sitsOutAtOnce(play: Play, round: Round, masked: MaskedRound): Promise<boolean> {
  if (masked.isForeseen) return false
  const refusal = await foreseenRefusal(play)
  if (refusal !== null) await abstain(play, round, refusal.reason, refusal.detail)
  masked.isForeseen = refusal === null
  return refusal !== null
}

/** Why this site would contribute nothing, as far as it can tell before it trains; null when it would. */
async function foreseenRefusal(play: Play): Promise<Refusal | null> {
  if (await play.site.diskFull()) return { reason: 'noDisk', detail: told(new RotaError('ROTA-5513')) }
  const patients = await consentedCohort(play)
  return 'table' in patients ? whyNot(play, patients) : patients
}

const told = (error: RotaError): string => `${error.code} ${error.message}. ${error.remedy}`
