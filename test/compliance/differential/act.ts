import type { ContractName } from '#adapters/chain/abi.ts'
import type { Address } from '#base/ids.ts'

/** One transaction, in the arguments of the contract's ABI. */
export interface Act {
  readonly sender: Address
  readonly contract: ContractName
  readonly method: string
  readonly args: readonly unknown[]
}

/** Time in which nobody does anything: the last of `blocks` empty blocks comes `seconds` after the present one. */
export interface Pause {
  readonly seconds: number
  readonly blocks: number
}

export type Step = Act | Pause

/** What a transaction came to: null when it went through, else the contract's error with its arguments. */
export type Outcome = { readonly error: string; readonly details: Readonly<Record<string, unknown>> } | null

export const isPause = (step: Step): step is Pause => 'seconds' in step

export const tell = (step: Step): string =>
  isPause(step)
    ? `  +${step.seconds} s, ${step.blocks} blocks`
    : `  ${step.sender.slice(0, 8)} ${step.contract}.${step.method}(${step.args.map((arg) => text(arg)).join(', ')})`

const text = (arg: unknown): string => {
  if (typeof arg === 'bigint') return `0b${arg.toString(2)}`
  if (typeof arg === 'string') return arg.length > 12 ? `${arg.slice(0, 10)}…` : arg
  if (typeof arg === 'object' && arg !== null && 'updates' in arg)
    return JSON.stringify(arg, (_, value) => (typeof value === 'string' && value.length > 20 ? `${value.slice(0, 10)}…(${value.length / 2 - 1})` : value))
  return JSON.stringify(arg, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}
