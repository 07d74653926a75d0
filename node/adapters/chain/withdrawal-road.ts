import { type Address, address, type Digest } from '#base/ids.ts'
import type { WithdrawalRoad } from '#patient/receipt-history.ts'
import { interfaces, type Link } from './link.ts'

/** How a tag came on chain. @param tx of its event */
export async function withdrawalRoad({ rpc, addresses }: Pick<Link, 'rpc' | 'addresses'>, tx: Digest): Promise<WithdrawalRoad> {
  const sent = await rpc.call<{ from: string; to: string | null; input: string } | null>('eth_getTransactionByHash', [tx])
  if (sent?.to == null || address(sent.to) !== address(addresses.ConsentRegistry)) return 'unknown'
  const called = interfaces.ConsentRegistry.parseTransaction({ data: sent.input })
  if (called?.name === 'withdrawMany') return 'relayed in a batch'
  if (called?.name === 'withdrawByOmbudsman') return 'ombudsman'
  if (called?.name !== 'withdraw') return 'unknown'
  return address(called.args[2] as string) === (address(sent.from) as Address) ? 'called by the key' : 'relayed'
}
