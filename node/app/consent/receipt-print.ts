import { writeFile } from 'node:fs/promises'
import { readReceipt } from '#adapters/cohort/receipt.ts'
import { diskError } from '#adapters/journal/atomic-file.ts'
import { RotaError } from '#base/errors.ts'
import type { ReceiptV2 } from '#patient/receipt.ts'
import { receiptSheet } from '#web/print/receipt-sheet.ts'
import { languages } from '#web/print/words.ts'

/** @throws ROTA-3001, 6001 receipts; 6022 too old for a sheet; 6023 no such language; 1306 the disk */
export async function printReceipts(files: readonly string[], language?: string): Promise<readonly { readonly receipt: string; readonly sheet: string }[]> {
  const receipts = await Promise.all(files.map(async (file) => [file, await readReceipt(file)] as const))
  const printed = []
  for (const [file, receipt] of receipts) {
    if (receipt.version === 1) throw new RotaError('ROTA-6022', { file })
    printed.push({ receipt: file, sheet: await printBeside(file, receipt, sheetLanguage(receipt, language)) })
  }
  return printed
}

/** The sheet lies beside its receipt, and can be made again from it. @returns its file @throws ROTA-1306 */
export async function printBeside(file: string, receipt: ReceiptV2, language: string): Promise<string> {
  const beside = `${file.replace(/\.json$/, '')}.html`
  await writeFile(beside, receiptSheet(receipt, { language }), { mode: 0o600 }).catch((cause) => {
    throw diskError(beside, cause)
  })
  return beside
}

/** Default: English where the terms have it, else the first of theirs that there are sheets in. @throws ROTA-6023 */
export function sheetLanguage({ terms }: Pick<ReceiptV2, 'terms'>, asked?: string): string {
  if (asked !== undefined) return knownLanguage(asked)
  const texts = terms?.agreed.texts ?? {}
  return 'en' in texts ? 'en' : (Object.keys(texts).find((known) => languages().includes(known)) ?? 'en')
}

/** @throws ROTA-6023 */
export function knownLanguage(language: string): string {
  if (!languages().includes(language)) throw new RotaError('ROTA-6023', { language: language.slice(0, 40), known: languages().join(', ') })
  return language
}
