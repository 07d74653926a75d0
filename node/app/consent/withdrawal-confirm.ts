import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemRandom } from '#adapters/host/system-host.ts'
import { diskError, writeAtomic } from '#adapters/journal/atomic-file.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { toHex } from '#base/bytes.ts'
import { type WithdrawalReceipt, type WithdrawnAtDesk, withdrawalFileName, withdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { withdrawalSheet } from '#web/print/withdrawal-sheet.ts'
import { signerOf } from './receipt-issue.ts'

type Withdrawn = Omit<WithdrawnAtDesk, 'number'> & { readonly number?: string }

/** What the desk hands out to a patient who withdrew. */
export interface Confirmation {
  readonly receipt: WithdrawalReceipt
  readonly file: string
  /** The page to print. */
  readonly sheet: string
}

/** Says under the site's signature what the desk did. @param withdrawn.number of one that was printed before */
export const withdrawalReceiptOf = (folder: SiteFolder, withdrawn: Withdrawn): WithdrawalReceipt =>
  withdrawalReceipt({ number: withdrawn.tag?.slice(2, 18) ?? toHex(systemRandom.bytes(8)).slice(2), ...withdrawn }, signerOf({ folder }))

/** Writes it, and the sheet to print, into a folder. @throws ROTA-1306 */
export async function confirmWithdrawal(
  folder: SiteFolder,
  { confirmations, language = 'en' }: { readonly confirmations?: string | undefined; readonly language?: string | undefined },
  withdrawn: Withdrawn,
): Promise<Confirmation> {
  const dir = confirmations === undefined ? folder.paths.withdrawals : resolve(confirmations)
  const receipt = withdrawalReceiptOf(folder, withdrawn)
  const file = join(dir, withdrawalFileName(receipt))
  const sheet = file.replace(/\.json$/, '.html')
  await mkdir(dir, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw diskError(dir, cause)
  })
  await writeAtomic(file, `${JSON.stringify(receipt, null, 2)}\n`)
  await writeAtomic(sheet, withdrawalSheet(receipt, { language }))
  return { receipt, file, sheet }
}
