import { openSiteFolder } from '#app/site/site-folder.ts'
import type { ToldError } from '../told-error.ts'
import { lastWithdrawal } from './last-withdrawal.ts'
import { knownLanguage } from './receipt-print.ts'
import { whileWaiting } from './while-waiting.ts'
import type { DeskCall } from './withdraw-at-desk.ts'
import { type Confirmation, confirmWithdrawal, keptConfirmation } from './withdrawal-confirm.ts'
import { countersignOf } from './withdrawal-countersign.ts'

/**
 * The confirmation of a withdrawal once more, while the patient waits: from the record and the chain; where that is away, the one that was signed
 * before, else one without a signature.
 * @throws ROTA-6023 the language, 6030 the consent stands, 6031 a withdrawal that the record does not know
 */
export async function confirmAgain(call: Omit<DeskCall, 'receipts'>): Promise<{ readonly confirmation: Confirmation; readonly problem: ToldError | null }> {
  if (call.language !== undefined) knownLanguage(call.language)
  const folder = await openSiteFolder(call.folder, call.password)
  const { done, problem } = await whileWaiting(folder, call, (site) => countersignOf(site, call, call))
  if (done !== null) return { confirmation: done, problem: null }
  const found = await lastWithdrawal(folder, call)
  const kept = await keptConfirmation(folder, found, call)
  if (kept !== null) return { confirmation: kept, problem: null }
  const unsigned = { ...found, network: null, root: null, onChain: null, site: { id: null, name: folder.config.name } }
  return { confirmation: await confirmWithdrawal(folder, call, unsigned), problem }
}
