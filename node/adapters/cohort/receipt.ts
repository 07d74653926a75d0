import { readFile } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'
import { type Receipt, readReceiptText } from '#patient/receipt.ts'

export { type Receipt, receiptFileName } from '#patient/receipt.ts'

/** @throws ROTA-3001 unreadable, ROTA-6001 not a receipt, altered, or its tag does not follow from its secret */
export async function readReceipt(file: string): Promise<Receipt> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-3001', { file, reason: String(cause.code) })
  })
  const receipt = readReceiptText(text)
  if (receipt === null) throw new RotaError('ROTA-6001', { file })
  return receipt
}
