import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { diskError, readIfThere, writeAtomic } from '#adapters/journal/atomic-file.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { readWithdrawalReceipt, type WithdrawalReceipt, type WithdrawnAtDesk, withdrawalFileName, withdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { withdrawalSheet } from '#web/print/withdrawal-sheet.ts'
import { signerOf } from './receipt-issue.ts'

/** What the desk hands out to a patient who withdrew. */
export interface Confirmation {
  readonly receipt: WithdrawalReceipt
  readonly file: string
  /** The page to print. */
  readonly sheet: string
}

interface Where {
  /** Default: `withdrawals` in the site's folder. */
  readonly confirmations?: string | undefined
  readonly language?: string | undefined
}

/** Says under the site's signature what was withdrawn; writes it, and the sheet to print, into a folder. @throws ROTA-1306 */
export async function confirmWithdrawal(folder: SiteFolder, where: Where, withdrawn: WithdrawnAtDesk): Promise<Confirmation> {
  const receipt = withdrawalReceipt(withdrawn, signerOf({ folder }))
  const dir = folderOf(folder, where)
  await mkdir(dir, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw diskError(dir, cause)
  })
  const file = join(dir, withdrawalFileName(receipt))
  await writeAtomic(file, `${JSON.stringify(receipt, null, 2)}\n`)
  return { receipt, file, sheet: await printed(file, receipt, where) }
}

/** One that was signed before, with its sheet in the language that is wanted now; null: none lies there. */
export async function keptConfirmation(
  folder: SiteFolder,
  withdrawn: Pick<WithdrawnAtDesk, 'number' | 'programme'>,
  where: Where,
): Promise<Confirmation | null> {
  const file = join(folderOf(folder, where), withdrawalFileName(withdrawn))
  const receipt = readWithdrawalReceipt((await readIfThere(file))?.toString() ?? '')
  if (receipt === null || receipt.number !== withdrawn.number || receipt.programme !== withdrawn.programme) return null
  return { receipt, file, sheet: await printed(file, receipt, where) }
}

const folderOf = ({ paths }: SiteFolder, { confirmations }: Where): string => (confirmations === undefined ? paths.withdrawals : resolve(confirmations))

async function printed(file: string, receipt: WithdrawalReceipt, { language = 'en' }: Where): Promise<string> {
  const sheet = file.replace(/\.json$/, '.html')
  await writeAtomic(sheet, withdrawalSheet(receipt, { language }))
  return sheet
}
