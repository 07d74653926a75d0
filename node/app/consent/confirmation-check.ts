import { contractsAddress, withReader } from '#app/chain/chain-reader.ts'
import { readGiven } from '#app/given-text.ts'
import { withdrawalsUnder } from '#app/site/at-site.ts'
import { RotaError } from '#base/errors.ts'
import { siteId } from '#base/ids.ts'
import { readUnsealedWithdrawal, readWithdrawalReceipt, type WithdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import type { ChainReader } from '#ports/chain.ts'
import { consentRoots } from './consent-root.ts'

export interface ConfirmationVerdict {
  readonly valid: boolean
  /** The member whose account countersigned it; null: none has that account (any more). */
  readonly countersignedBy: string | null
  readonly programme: string
  readonly withdrawnAt: string
  /** Where the chain has the tag as withdrawn now; null: not, or there is none. */
  readonly withdrawnAtBlock: number | null
  readonly reason: string
}

/**
 * Checks what a desk handed out to somebody who withdrew, anywhere: who signed it, and that block and root are on chain as it says.
 * @throws ROTA-3001, 6034 the file; 1205 no network is named; 5xxx the chain
 */
export async function checkConfirmation(call: {
  readonly confirmation: string
  readonly chain: string
  readonly contracts: string | undefined
  readonly signal: AbortSignal
}): Promise<ConfirmationVerdict> {
  const file = call.confirmation
  const text = await readGiven(file)
  const receipt = readWithdrawalReceipt(text)
  if (receipt === null) return unsigned(text, file)
  const contracts = contractsAddress(call.contracts ?? receipt.network?.contracts ?? '')
  return withReader({ chain: call.chain, contracts }, call.signal, async (chain) => {
    const { programme, withdrawnAt, tag, site, seal } = receipt
    const countersignedBy = (await chain.sites()).find(({ id, node }) => id === site.id && node === seal?.account)?.name ?? null
    const withdrawnAtBlock = tag === null ? null : ((await withdrawalsUnder(chain, programme)).get(tag) ?? null)
    const wrong = countersignedBy === null ? 'no member of the network has the account that signed it' : await whyNot(chain, receipt, withdrawnAtBlock)
    return { valid: wrong === null, countersignedBy, programme, withdrawnAt, withdrawnAtBlock, reason: wrong ?? 'the hospital signed that it stopped' }
  })
}

/** @throws ROTA-6034 */
function unsigned(text: string, file: string): ConfirmationVerdict {
  const printed = readUnsealedWithdrawal(text)
  if (printed === null) throw new RotaError('ROTA-6034', { file })
  const { programme, withdrawnAt } = printed
  const reason = 'it is not countersigned: the chain was away when it was printed, and the hospital makes it anew by rota consent confirm'
  return { valid: false, countersignedBy: null, programme, withdrawnAt, withdrawnAtBlock: null, reason }
}

/** Null: the chain says the same. */
async function whyNot(chain: ChainReader, { onChain, root, site, programme }: WithdrawalReceipt, withdrawnAtBlock: number | null): Promise<string | null> {
  if (onChain !== null && onChain.block !== withdrawnAtBlock) return 'the tag was not withdrawn in the block that it names'
  if (root === null) return null
  const stood = (await consentRoots({ chain, own: { id: siteId(site.id ?? 0) } }, programme)).some(
    (each) => each.epoch === root.epoch && each.root === root.root,
  )
  return stood ? null : 'the root that it names is not on the chain'
}
