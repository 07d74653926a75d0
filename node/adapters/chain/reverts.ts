import { Interface } from 'ethers'
import { CONTRACT_ERROR_CODES, codeForContractError } from '#base/chain-errors.ts'
import { type ErrorDetails, RotaError } from '#base/errors.ts'
import { PHASES, RUN_STATES } from '#ports/chain.ts'
import { ABI } from './abi.ts'
import type { RpcError } from './rpc.ts'

/** Every error of every contract; several declare the same one, and equal declarations are one. */
const errors = new Interface([...new Set(Object.values(ABI).flatMap((lines: readonly string[]) => lines.filter((line) => line.startsWith('error '))))])

/** What the contract said, in the catalogue's words. Whether to retry, ignore or stop is the code's reaction. */
export function revertError(error: RpcError): RotaError {
  const parsed = error.data === undefined || error.data.length < 10 ? null : errors.parseError(error.data)
  if (parsed === null) return new RotaError('ROTA-5011', { error: error.data ?? error.message }, error)
  const details: Record<string, ErrorDetails[string]> = { error: parsed.name }
  for (const [i, input] of parsed.fragment.inputs.entries()) details[input.name] = detailOf(input.name, parsed.args[i])
  return new RotaError(codeForContractError(parsed.name), details, error)
}

function detailOf(name: string, value: unknown): ErrorDetails[string] {
  if (typeof value !== 'bigint') return typeof value === 'boolean' ? value : String(value)
  if (name === 'phase') return PHASES[Number(value)] ?? Number(value)
  if (name === 'state') return RUN_STATES[Number(value)] ?? Number(value)
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

/** For the test that every error of the contracts has its code. */
export const mappedErrors: ReadonlySet<string> = new Set(Object.keys(CONTRACT_ERROR_CODES))
export const contractErrors = (): readonly string[] => errors.fragments.flatMap((fragment) => ('name' in fragment ? [String(fragment.name)] : []))
