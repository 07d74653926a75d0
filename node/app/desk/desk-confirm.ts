import { confirmAgain } from '#app/consent/confirm-again.ts'
import type { DeskConfirmed } from '#web/desk/desk-work.ts'
import type { DeskAct } from '#wire/desk-api.ts'
import { PATIENCE_MS } from './desk-chain.ts'
import { pageAt } from './desk-record.ts'
import type { DeskSite } from './desk-site.ts'

/**
 * The confirmation of a withdrawal once more, for whoever lost it, got one without a signature, or withdrew with the card. Kept like the first.
 * @throws ROTA-6030 the consent stands, 6031 there is no withdrawal, 6023 no such language
 */
export async function confirmForPatient({ call, chain }: DeskSite, { patient, programme, language }: DeskAct): Promise<DeskConfirmed> {
  const { confirmation, problem } = await confirmAgain({ ...call, programme, patient, language, patienceMs: chain.isAway() ? 1 : PATIENCE_MS })
  if (problem !== null) chain.noteAway()
  return { print: await pageAt(patient, confirmation.sheet), problem }
}
