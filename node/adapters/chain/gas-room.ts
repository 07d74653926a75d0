import { RotaError } from '#base/errors.ts'
import { blockGas, isNamed, type MinedCall, refusalOf } from './failure.ts'
import { revertError } from './reverts.ts'
import type { Rpc } from './rpc.ts'

/**
 * How much gas a call is given: what is known to be enough as a rule, and twice as much each time that it was not, up to what a block holds. A
 * chain may charge more for the same call than those that limits were measured on. What others are given besides finds less room in the block: where
 * much less would do, a method is given less again.
 */
export interface GasRoom {
  /** @throws ROTA-5018, or the contract's own error, while a call for which a whole block was too small would fail again: it is asked, not sent */
  give(call: MinedCall): Promise<number>
  /** It was too little. @throws ROTA-5018 when there is no more */
  widen(call: MinedCall): Promise<void>
  /** It was enough. */
  done(call: MinedCall, gasUsed: number): void
}

/** Calls that were short of gas last, of which it is known; a node tries a handful again and again. */
const MOST_SHORT = 32
/** One that used less than a quarter of what it was given would do with half. */
const LITTLE = 1 / 4
/** So many in a row: some calls of a method also take the step that others wait for. */
const LITTLE_IN_A_ROW = 4
/** For this call a whole block was too small. */
const TOO_LARGE = Number.POSITIVE_INFINITY

interface Learnt {
  /** Times the limit. */
  readonly factor: number
  /** Calls in a row that used little. */
  readonly little: number
}

export function openGasRoom(rpc: Rpc): GasRoom {
  /** Of methods, by their four bytes: what the last that was short of gas needed in the end. */
  const learnt = new Map<string, Learnt>()
  /** Of calls that were short of gas and are not done yet: what is given next. The oldest first. */
  const short = new Map<string, number>()
  const tooSmall = (gas: number) => new RotaError('ROTA-5018', { gas })
  const factorOf = (call: MinedCall) => short.get(nameOf(call)) ?? learnt.get(methodOf(call))?.factor ?? 1

  function note(call: MinedCall, factor: number): void {
    const name = nameOf(call)
    short.delete(name)
    short.set(name, factor)
    for (const oldest of short.keys()) if (short.size > MOST_SHORT) short.delete(oldest)
  }

  return {
    async give(call) {
      const factor = factorOf(call)
      if (factor === 1) return call.gas
      const whole = await blockGas(rpc)
      if (factor !== TOO_LARGE) return Math.min(whole, call.gas * factor)
      const refused = await refusalOf(rpc, { ...call, gas: whole }, 'latest')
      if (refused !== null) throw isNamed(refused) ? revertError(refused) : tooSmall(whole)
      return whole
    },
    async widen(call) {
      const factor = factorOf(call)
      const whole = await blockGas(rpc)
      const isSpent = call.gas * factor >= whole
      note(call, isSpent ? TOO_LARGE : Math.min(2 * factor, Math.ceil(whole / call.gas)))
      if (isSpent) throw tooSmall(whole)
    },
    done(call, gasUsed) {
      const method = methodOf(call)
      const needed = short.get(nameOf(call))
      const known = learnt.get(method)
      short.delete(nameOf(call))
      // What was too large for a block once says nothing of the method's other calls.
      if (needed !== undefined && needed !== TOO_LARGE) learnt.set(method, { factor: needed, little: 0 })
      else if (known !== undefined) fall(method, known, gasUsed < LITTLE * call.gas * known.factor)
    },
  }

  function fall(method: string, { factor, little }: Learnt, isLittle: boolean): void {
    if (!isLittle || little + 1 < LITTLE_IN_A_ROW) learnt.set(method, { factor, little: isLittle ? little + 1 : 0 })
    else if (factor < 4) learnt.delete(method)
    else learnt.set(method, { factor: Math.floor(factor / 2), little: 0 })
  }
}

const methodOf = ({ to, data }: MinedCall): string => `${to} ${data.slice(0, 10)}`
const nameOf = ({ to, data }: MinedCall): string => `${to} ${data}`
