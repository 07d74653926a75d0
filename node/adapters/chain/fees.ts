import type { TransactionLike } from 'ethers'
import type { Rpc } from './rpc.ts'

export type Fees = Pick<TransactionLike, 'type' | 'gasPrice' | 'maxFeePerGas' | 'maxPriorityFeePerGas'>

/** A type 2 transaction of an account without ether needs both fees set to 0; left out, they would be filled in. */
const FREE: Fees = { type: 2, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
const FREE_BEFORE_LONDON: Fees = { type: 0, gasPrice: 0n }

const known = new WeakMap<Rpc, Promise<Fees>>()

/** Zero on a chain whose base fee is zero (asked once), else twice the newest block's, asked each time. */
export function readFees(rpc: Rpc): Promise<Fees> {
  const before = known.get(rpc)
  if (before !== undefined) return before
  const now = askFees(rpc)
  known.set(rpc, now)
  now.then(
    (fees) => fees !== FREE && known.delete(rpc),
    () => known.delete(rpc),
  )
  return now
}

async function askFees(rpc: Rpc): Promise<Fees> {
  const { baseFeePerGas } = await rpc.call<{ baseFeePerGas?: string }>('eth_getBlockByNumber', ['latest', false])
  if (baseFeePerGas === undefined) return FREE_BEFORE_LONDON
  if (BigInt(baseFeePerGas) === 0n) return FREE
  return { type: 2, maxFeePerGas: BigInt(baseFeePerGas) * 2n, maxPriorityFeePerGas: 0n }
}
