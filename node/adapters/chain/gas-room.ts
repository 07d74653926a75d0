import { RotaError } from '#base/errors.ts'
import { blockGas, isNamed, type MinedCall, refusalOf } from './failure.ts'
import { revertError } from './reverts.ts'
import type { Rpc } from './rpc.ts'

/**
 * How much gas a call is given: what is known to be enough as a rule, and twice as much each time that it was not, up to what a block holds. A
 * chain may charge more for the same call than those that limits were measured on.
 */
export interface GasRoom {
  /** @throws ROTA-5018, or the contract's own error, while a call for which a whole block was too small would fail again: it is asked, not sent */
  give(call: MinedCall): Promise<number>
  /** It was too little. @throws ROTA-5018 when there is no more */
  widen(call: MinedCall): Promise<void>
}

export function openGasRoom(rpc: Rpc): GasRoom {
  /** By the method's four bytes. */
  const factors = new Map<string, number>()
  /** The last call for which a whole block was too small. */
  let tooLarge: string | null = null
  const short = (gas: number) => new RotaError('ROTA-5018', { gas })

  return {
    async give(call) {
      const factor = factors.get(methodOf(call))
      if (factor === undefined) return call.gas
      const whole = await blockGas(rpc)
      const gas = Math.min(whole, call.gas * factor)
      if (tooLarge !== nameOf(call)) return gas
      const refused = await refusalOf(rpc, { ...call, gas: whole }, 'latest')
      if (refused !== null) throw isNamed(refused) ? revertError(refused) : short(whole)
      tooLarge = null
      return gas
    },
    async widen(call) {
      const factor = 2 * (factors.get(methodOf(call)) ?? 1)
      factors.set(methodOf(call), factor)
      const whole = await blockGas(rpc)
      if ((call.gas * factor) / 2 < whole) return
      tooLarge = nameOf(call)
      throw short(whole)
    },
  }
}

const methodOf = ({ to, data }: MinedCall): string => `${to} ${data.slice(0, 10)}`
const nameOf = ({ to, data }: MinedCall): string => `${to} ${data}`
