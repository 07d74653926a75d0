import { RotaError } from '#base/errors.ts'
import type { Address } from '#base/ids.ts'
import { revertError } from './reverts.ts'
import { type Rpc, RpcError } from './rpc.ts'
import type { Receipt } from './sender.ts'

/** A call as it was mined. */
export interface MinedCall {
  readonly from: Address
  readonly to: Address | null
  readonly data: string
  readonly gas: number
}

/** Gas was wanting: nothing was changed, and with more the same call would do. */
export const SHORT_OF_GAS = 'short of gas'

/**
 * Why a mined transaction failed: receipts do not say, so the call is made again on the block after it, where what came before it in
 * the block still stands, then on the block before. Whoever runs out of gas says nothing: the same call with all that a block holds tells it apart.
 */
export async function failureOf(rpc: Rpc, call: MinedCall, receipt: Receipt): Promise<RotaError | typeof SHORT_OF_GAS> {
  const block = Number(receipt.blockNumber)
  const whole = { ...call, gas: await blockGas(rpc) }
  let mute: RpcError | null = null
  for (const at of [block, block - 1]) {
    const said = await refusalOf(rpc, call, hex(at))
    if (said === null) continue
    if (isNamed(said)) return revertError(said)
    const withMore = await refusalOf(rpc, whole, hex(at))
    if (withMore === null) return SHORT_OF_GAS
    if (isNamed(withMore)) return revertError(withMore)
    mute = said
  }
  if (mute !== null && Number(receipt.gasUsed) >= NEARLY_ALL * call.gas) return SHORT_OF_GAS
  return mute?.data === undefined ? new RotaError('ROTA-5003', { block }) : revertError(mute)
}

/** Each call inside another is given all but a 64th of what is left. */
const NEARLY_ALL = 15 / 16

/** What the endpoint says to the call, were it made then; null where it would pass. */
export async function refusalOf(rpc: Rpc, { gas, ...call }: MinedCall, at: string): Promise<RpcError | null> {
  try {
    await rpc.call('eth_call', [{ ...call, gas: hex(gas) }, at])
    return null
  } catch (error) {
    if (error instanceof RpcError) return error
    throw error
  }
}

/** A contract's own error begins with four bytes that name it. */
export const isNamed = ({ data }: RpcError): boolean => data !== undefined && data.length >= 10

/** What all calls of a block may use together. */
export const blockGas = async (rpc: Rpc): Promise<number> => Number((await rpc.call<{ gasLimit: string }>('eth_getBlockByNumber', ['latest', false])).gasLimit)

const hex = (n: number): string => `0x${n.toString(16)}`
