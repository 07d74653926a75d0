import { readFile } from 'node:fs/promises'
import { fromHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Address, type Digest, isAddress, isDigest } from '#base/ids.ts'
import { consentKeys, SECRET_BYTES } from './consent-tags.ts'

/**
 * What the patient takes home: with it anyone can withdraw this one consent, and check that it was. It names nobody.
 * The site keeps no secret of it.
 */
export interface Receipt {
  readonly version: 1
  readonly programme: string
  readonly tag: Digest
  readonly oneTimeAddress: Address
  /** 128 bits as hex: keep it like a key. */
  readonly secret: string
  readonly grantedAt: string
  /** The network whose chain says what became of it; receipts of version 0.1 did not name it. */
  readonly network?: { readonly chainId: number; readonly contracts: Address } | undefined
}

export const receiptFileName = (receipt: Receipt): string => `receipt-${receipt.tag.slice(2, 18)}.json`

/** @throws ROTA-3001 unreadable, ROTA-6001 not a receipt, or its tag does not follow from its secret */
export async function readReceipt(file: string): Promise<Receipt> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-3001', { file, reason: String(cause.code) })
  })
  const receipt = parse(text)
  if (receipt === null || consentKeys(fromHex(receipt.secret), receipt.programme).tag !== receipt.tag) throw new RotaError('ROTA-6001', { file })
  return receipt
}

function parse(text: string): Receipt | null {
  try {
    const r = JSON.parse(text) as Partial<Receipt>
    const secret = typeof r.secret === 'string' && new RegExp(`^(0x)?[0-9a-f]{${2 * SECRET_BYTES}}$`).test(r.secret)
    const network = r.network === undefined || isAddress(r.network?.contracts)
    return network && r.version === 1 && typeof r.programme === 'string' && isDigest(r.tag) && isAddress(r.oneTimeAddress) && secret ? (r as Receipt) : null
  } catch {
    return null
  }
}
