import { isRotaError, type RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { patientsOf } from '#core/learner/private/stage.ts'
import { isPrivate, type PrivateProtocol } from '#core/protocol/private-rounds.ts'
import type { RunView } from '#ports/chain.ts'
import { datasetId, USUAL_DATASET } from '#wire/dataset.ts'
import { brokenPolicy } from '../charged-policy.ts'
import type { Play, Round } from '../play.ts'
import type { Site } from '../site.ts'
import { abstain, consentedCohort } from './contribute.ts'
import { whyNot } from './eligible.ts'

/**
 * Charges this round's noise to the site's dataset before anything is trained. What cannot be in the round is not charged; what is stays spent, whatever
 * becomes of the round. The chain takes one charge of a site and round: a call that is repeated costs nothing.
 */
export async function charge(play: Play, round: Round): Promise<void> {
  const { site, study } = play
  const { protocol } = study
  if (!isPrivate(protocol)) return
  const broken = brokenPolicy(study.id, protocol, await site.chain.policy(study.id))
  if (broken !== null) return abstain(play, round, 'privacySpent', textOf(broken))
  const refusal = await notFor(play, protocol)
  if (refusal !== null) return abstain(play, round, refusal.reason, refusal.detail)
  const dataset = datasetOf(site)
  await site.journal.append({ kind: 'charged', run: round.run, round: round.round, dataset })
  try {
    await site.chain.charge(round.run, round.round, dataset)
  } catch (error) {
    if (!isRotaError(error, SPENT)) throw error
    return abstain(play, round, 'privacySpent', textOf(error))
  }
}

/** The contract refuses a charge beyond the study's limit. */
const SPENT = 'ROTA-5313'

/** What the ledger knows this site's rows by. */
export const datasetOf = ({ dataset, sha256 }: Pick<Site, 'dataset' | 'sha256'>): Digest => dataset ?? datasetId(USUAL_DATASET, sha256)

/** Whether this site is waited for in a round of an accounted study, and has not paid for it: the chain says so, whatever this disk remembers. */
export async function owesCharge({ site, study }: Play, { run, round }: RunView): Promise<boolean> {
  if (!isPrivate(study.protocol) || round.phase !== 'Contributing') return false
  const charged = await site.chain.events(round.openedAtBlock, { run, kinds: ['Charged'] })
  return !charged.some((event) => event.kind === 'Charged' && event.site === site.id && event.round === round.round)
}

async function notFor(play: Play, protocol: PrivateProtocol): Promise<Awaited<ReturnType<typeof whyNot>>> {
  const patients = await consentedCohort(play)
  if (!('table' in patients)) return patients
  const refusal = await whyNot(play, patients)
  if (refusal !== null) return refusal
  try {
    patientsOf(patients.table, protocol)
    return null
  } catch (error) {
    if (!isRotaError(error, 'ROTA-2383')) throw error
    return { reason: 'belowMinRows', detail: textOf(error) }
  }
}

const textOf = (error: RotaError): string => `${error.code} ${error.message}. ${error.remedy}`
