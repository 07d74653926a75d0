import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { withdrawAtDesk } from '#app/consent/withdraw-at-desk.ts'
import type { DeskWithdrew } from '#web/desk/desk-work.ts'
import type { DeskAct, DeskProgramme } from '#wire/desk-api.ts'
import { PATIENCE_MS } from './desk-chain.ts'
import { pageAt } from './desk-record.ts'
import type { DeskSite } from './desk-site.ts'

/**
 * For a patient who comes or calls: this site stops at once, whether the chain answers or not, and a countersigned confirmation is to be
 * printed, which names nobody and is kept in the folder's `withdrawals`, so that it can be countersigned later and checked.
 * @param known asked where the record knows nothing of the patient: an objection under a mistyped name would stop nothing
 * @throws ROTA-6004 nothing to withdraw, 6706 no such programme, 6023 no such language
 */
export async function withdrawForPatient({ folder, call, chain }: DeskSite, act: DeskAct, known: () => Promise<DeskProgramme>): Promise<DeskWithdrew> {
  const { patient, programme, language } = act
  const entries = await folder.consents.entriesOf(patientDigest(folder.vault, patient))
  if (!entries.some((entry) => entry.programme === programme)) await known()
  const asked = { ...call, programme, patient, receipts: undefined, language, patienceMs: PATIENCE_MS }
  const { tag, inData, problem, confirmation } = await withdrawAtDesk(asked)
  if (problem?.code.startsWith('ROTA-5')) chain.noteAway()
  return { tag, inData, problem, print: await pageAt(patient, confirmation.sheet) }
}
