import { readReceipt } from '#adapters/cohort/receipt.ts'
import { contractsAddress, withReader } from '#app/chain/chain-reader.ts'
import { withdrawalsUnder } from '#app/site/at-site.ts'
import { type Digest, siteId } from '#base/ids.ts'
import { type Receipt, type ReceiptV2, showsInclusion } from '#patient/receipt.ts'
import type { ChainReader, SiteRecord } from '#ports/chain.ts'
import { type ConsentRoot, consentRoots } from './consent-root.ts'

/** What the chain says of a receipt's signature, and of the proof in it. */
export interface CheckedReceipt {
  /** The member whose account countersigned it; null: of version 1, or no member has that account (any more). */
  readonly countersignedBy: string | null
  /** Whether the proof in it leads to the root that its site put on chain; null: there is none in it (yet). */
  readonly inclusionHolds: boolean | null
}

/** @param roots of the site that the receipt names */
export function checkedReceipt(receipt: Receipt, sites: readonly SiteRecord[], roots: readonly ConsentRoot[]): CheckedReceipt {
  if (receipt.version === 1) return { countersignedBy: null, inclusionHolds: null }
  const { seal, site, inclusion } = receipt
  const countersignedBy = sites.find(({ id, node }) => id === site.id && node === seal.account)?.name ?? null
  if (inclusion === null) return { countersignedBy, inclusionHolds: null }
  const stood = roots.some(({ epoch, root }) => epoch === inclusion.epoch && root === inclusion.root)
  return { countersignedBy, inclusionHolds: stood && showsInclusion(receipt) }
}

export const rootsOf = (chain: Pick<ChainReader, 'events'>, { site, programme }: ReceiptV2): Promise<readonly ConsentRoot[]> =>
  consentRoots({ chain, own: { id: siteId(site.id) } }, programme)

export interface ReceiptVerdict extends CheckedReceipt {
  readonly valid: boolean
  readonly tag: Digest
  readonly programme: string
  /** Null: not withdrawn. */
  readonly withdrawnAtBlock: number | null
  readonly reason: string
}

/**
 * Checks a receipt itself against the chain, anywhere: who signed it, and that the root on chain holds it.
 * @throws ROTA-3001, 6001 the file; 5xxx the chain
 */
export async function checkReceipt(call: {
  readonly receipt: string
  readonly chain: string
  readonly contracts: string | undefined
  readonly signal: AbortSignal
}): Promise<ReceiptVerdict> {
  const receipt = await readReceipt(call.receipt)
  const contracts = contractsAddress(call.contracts ?? receipt.network?.contracts ?? '')
  return withReader({ chain: call.chain, contracts }, call.signal, async (chain) => {
    const { tag, programme } = receipt
    const checked = checkedReceipt(receipt, await chain.sites(), receipt.version === 1 ? [] : await rootsOf(chain, receipt))
    const withdrawnAtBlock = (await withdrawalsUnder(chain, programme)).get(tag) ?? null
    return { ...checked, tag, programme, withdrawnAtBlock, ...judged(receipt, checked) }
  })
}

function judged({ version }: Receipt, { countersignedBy, inclusionHolds }: CheckedReceipt): Pick<ReceiptVerdict, 'valid' | 'reason'> {
  if (version === 1) return { valid: false, reason: 'a receipt of version 1 is not countersigned; it is good for withdrawing' }
  if (countersignedBy === null) return { valid: false, reason: 'no member of the network has the account that signed it' }
  if (inclusionHolds === false) return { valid: false, reason: 'its proof does not lead to a root that the hospital put on chain' }
  return {
    valid: true,
    reason: inclusionHolds === null ? 'the hospital signed it; it holds no proof of a root yet' : 'the hospital signed it, and its root on chain holds it',
  }
}
