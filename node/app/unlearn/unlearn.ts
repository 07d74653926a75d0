import { systemClock } from '#adapters/host/system-host.ts'
import { signerOf } from '#app/consent/receipt-issue.ts'
import { type AtSite, atSite } from '#app/site/at-site.ts'
import { publishStudy, type StudyCall, startRun } from '#app/study/studies.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { RunId, StudyId } from '#base/ids.ts'
import { type ToldError, toldError } from '../told-error.ts'
import { type SignedCertificate, signCertificate } from './certificate.ts'
import { type KeptOut, keptOutBy } from './own-part.ts'
import { unlearnAt } from './unlearn-at-site.ts'
import { certificateOf, protocolFrom, type Unlearning, unlearningOf } from './unlearning.ts'
import { type WhoseRecord, withdrawnRecord } from './whose-record.ts'

export type { WhoseRecord }

export interface UnlearnAnswer {
  /**
   * not needed: no cohort of the run held the record · done: with the certificate · started, under way: a run without the record goes on ·
   * published: stewards are to approve a study that goes on from before the record
   */
  readonly state: 'not needed' | 'done' | 'started' | 'under way' | 'published'
  readonly run: RunId
  /** Rounds whose declared cohorts held the record. */
  readonly rounds: readonly number[]
  /** The run or study that stands in its place. */
  readonly standIn: { readonly study: StudyId; readonly run: RunId | null } | null
  readonly certificate: SignedCertificate | null
  /** This hospital stays out of a run that goes on: its patients differ by so few from those of an earlier exact run. Null: it does not. */
  readonly keptOutBy: KeptOut | null
  /** Why no run could be opened yet. */
  readonly problem: ToldError | null
}

/**
 * Brings about a model that a withdrawn record had no part in, step by step each time it is called: finds the run that stands in for this one,
 * or opens it, or publishes the study that it needs; and certifies it once it is over.
 * @throws ROTA-6030 the consent stands, 6031 nothing is known of the record, 6032 the protocol is not here; 6001, 5110, 12xx, 13xx
 */
export async function unlearn(call: StudyCall & { readonly whose: WhoseRecord; readonly run: RunId }): Promise<UnlearnAnswer> {
  const found = await atSite(call, (site) => look(site, call.whose, call.run, call.signal))
  if ('state' in found) return found
  const { protocol, view, way, rounds, standIn, keptOutBy: few } = found
  const answer = { run: call.run, rounds, certificate: null, keptOutBy: few, problem: null }
  if (standIn?.kind === 'run') return { ...answer, state: 'under way', standIn }
  if (standIn === null && way.kind === 'train on') {
    const { study } = await publishStudy(call, protocolFrom(protocol, call.run, way))
    return { ...answer, state: 'published', standIn: { study, run: null } }
  }
  const study = standIn?.study ?? view.study
  try {
    const { run } = await startRun({ ...call, study, despiteCanary: true })
    return { ...answer, state: 'started', standIn: { study, run } }
  } catch (error) {
    // Too few stewards have approved it yet, or no node has drawn its key.
    if (!isRotaError(error, 'ROTA-1208') && !isRotaError(error, 'ROTA-1207')) throw error
    return { ...answer, state: 'published', standIn: { study, run: null }, problem: toldError(error) }
  }
}

/** What is there already, with the certificate where it can be made. */
async function look(site: AtSite, by: WhoseRecord, run: RunId, signal: AbortSignal): Promise<UnlearnAnswer | (Unlearning & Pick<UnlearnAnswer, 'keptOutBy'>)> {
  const { study } = await site.chain.run(run)
  const { programme } = await site.shelf.protocol(study, signal).catch((error) => {
    throw isRotaError(error) ? new RotaError('ROTA-6032', { run, study }, error) : error
  })
  const { whose, withdrawn } = await withdrawnRecord(site, by, programme)
  const from = unlearnAt(site, whose, signal)
  const unlearning = await unlearningOf(from, run)
  const { rounds, standIn, way } = unlearning
  if (way.kind === 'not needed') return { state: 'not needed', run, rounds, standIn: null, certificate: null, keptOutBy: null, problem: null }
  if (standIn?.kind !== 'run' || standIn.state !== 'Finished') {
    const { exact } = (await site.chain.study(study)).rules
    return { ...unlearning, keptOutBy: exact ? await keptOutBy(site, unlearning.protocol) : null }
  }
  const certificate = await certificateOf(from, withdrawn, unlearning, standIn, new Date(systemClock.nowMs()).toISOString())
  return { state: 'done', run, rounds, standIn, certificate: signCertificate(certificate, signerOf(site)), keptOutBy: null, problem: null }
}
