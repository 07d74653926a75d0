import { RotaError } from '#base/errors.ts'
import { runId } from '#base/ids.ts'
import { type DisputePart, partsOf } from '#core/commit/dispute-parts.ts'
import { ABSTAIN_REASONS, type AbstainReason, ATTEST_STATUSES, type ChainWriter } from '#ports/chain.ts'
import type { ContractName } from './abi.ts'
import { interfaces, type Link } from './link.ts'
import type { Receipt, Sender } from './sender.ts'
import { numberOf } from './views.ts'

/** Fixed, whatever the call turns out to set off (a freeze, a closing with the next opening): unused gas costs nothing. */
export const ROUND_GAS = 3_000_000

/** Sends one call of a contract for the sender's account. */
export type Send = (contract: ContractName, method: string, args: readonly unknown[], gasLimit?: number) => Promise<Receipt>

export const sendTo =
  (link: Link, sender: Sender, onMined: (block: number, index: number) => void = () => {}): Send =>
  async (contract, method, args, gasLimit = ROUND_GAS) => {
    const receipt = await sender.send(link.addresses[contract], encodeCall(contract, method, args), gasLimit)
    const last = receipt.logs.at(-1)
    if (last !== undefined) onMined(Number(receipt.blockNumber), Number(last.logIndex))
    return receipt
  }

/** @throws ROTA-5116 when a value does not fit its type, as a limit of more blocks than the contract can count */
function encodeCall(contract: ContractName, method: string, args: readonly unknown[]): string {
  try {
    return interfaces[contract].encodeFunctionData(method, args)
  } catch (cause) {
    throw new RotaError('ROTA-5116', { error: `a value of ${method} is out of range` }, cause)
  }
}

/** A value that the contract's event in a receipt tells. */
export function fromReceipt(receipt: Receipt, contract: ContractName, event: string, field: string): unknown {
  for (const log of receipt.logs) {
    const parsed = interfaces[contract].parseLog(log)
    if (parsed?.name === event) return parsed.args[field]
  }
  throw new RotaError('ROTA-5011', { error: `no ${event} in its receipt` })
}

const reasonIndex = (reason: AbstainReason): number => ABSTAIN_REASONS.indexOf(reason)

const disputeCall = ({ done, partialSum, evidence }: DisputePart): readonly [string, readonly unknown[]] =>
  done === 0 && evidence.sum.length > 0 ? ['dispute', [evidence]] : ['disputePart', [evidence, done, partialSum]]

/** An update costs some 38,000 in a tree of 16 levels, a contribution 800; what is left is unused. */
const disputeGas = ({ count, evidence }: DisputePart): number => 1_000_000 + 50_000 * count + 30 * evidence.contributions.length

/** What a node's account says on chain. */
export function writerOf(send: Send): ChainWriter & { reportEpoch(study: number, epoch: number): Promise<void> } {
  const round = async (method: string, ...args: unknown[]): Promise<void> => void (await send('RoundCoordinator', method, args))
  return {
    async openRun(study, model) {
      const receipt = await send('RoundCoordinator', 'openRun', [study, model.root, model.cid])
      return runId(numberOf(fromReceipt(receipt, 'RoundCoordinator', 'RunOpened', 'run')))
    },
    contribute: (run, no, root, cid, cohortRoot) => round('contribute', run, no, root, cid, cohortRoot),
    abstain: (run, no, reason) => round('abstain', run, no, reasonIndex(reason)),
    extend: (run, no) => round('extend', run, no),
    witness: (run, no, slice, held) => round('witness', run, no, slice, held),
    publish: (run, no, attempt, sumRoot, sumCid) => round('publish', run, no, attempt, sumRoot, sumCid),
    attest: (run, no, attempt, model, status, own) => round('attest', run, no, attempt, model.root, model.cid, ATTEST_STATUSES.indexOf(status), own),
    async dispute(run, no, evidence) {
      for (const part of partsOf(evidence)) {
        const [method, args] = disputeCall(part)
        await send('RoundCoordinator', method, [run, no, ...args], disputeGas(part))
      }
    },
    tick: (run) => round('tick', run),
    ready: (run) => round('ready', run),
    halt: (run, reason) => round('halt', run, reasonIndex(reason)),
    publishEpoch: async (study, epoch, commitment, bundle) => void (await send('StudyRegistry', 'publishEpoch', [study, epoch, commitment, bundle])),
    /** This site cannot unwrap the newest epoch's key: another may publish the next. */
    reportEpoch: async (study, epoch) => void (await send('StudyRegistry', 'reportEpoch', [study, epoch])),
    consentRoot: async (programme, epoch, root) => void (await send('ConsentRegistry', 'setRoot', [programme, epoch, root])),
    withdraw: async (programme, blind, patientKey, signature) => void (await send('ConsentRegistry', 'withdraw', [programme, blind, patientKey, signature])),
    audit: async (category, subject) => void (await send('AuditLog', 'record', [category, subject])),
  }
}
