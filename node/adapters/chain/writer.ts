import { RotaError } from '#base/errors.ts'
import { type Digest, runId, ZERO_DIGEST } from '#base/ids.ts'
import { type DisputePart, partsOf } from '#core/commit/dispute-parts.ts'
import { ABSTAIN_REASONS, type AbstainReason, ATTEST_STATUSES, type ChainWriter, LAWFUL_BASES, type RelayedWithdrawal } from '#ports/chain.ts'
import type { ContractName } from './abi.ts'
import { decodeEvents } from './decode-event.ts'
import { interfaces, type Link } from './link.ts'
import type { Receipt, Sender } from './sender.ts'
import { numberOf } from './views.ts'

/** Fixed, whatever the call turns out to set off (a freeze, a closing with the next opening): unused gas costs nothing. */
const ROUND_GAS = 3_000_000

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

/** Withdrawals of one transaction: of some 30,000 gas each. */
const BATCH = 100
const batchGas = (count: number): number => 100_000 + 40_000 * count

/** Stands on chain where there is no account to name. */
const NOBODY = `0x${'00'.repeat(20)}`

/** The signature in the form of EIP-2098; one that has none is sent as zeros, which nobody signed. @see contracts/types/Consents.sol */
function compact({ blind, patientKey, signature }: RelayedWithdrawal) {
  const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), Number(`0x${signature.slice(130)}`)]
  const parity = v >= 27 ? v - 27 : v
  const whole = /^0x[0-9a-f]{130}$/i.test(signature) && (parity === 0 || parity === 1) && Number(`0x${s[0]}`) < 8
  if (!whole) return { blind, patientKey, r: ZERO_DIGEST, vs: ZERO_DIGEST }
  return { blind, patientKey, r: `0x${r}`, vs: `0x${(Number(`0x${s[0]}`) + 8 * parity).toString(16)}${s.slice(1)}` }
}

const withdrawnBy = (receipt: Receipt): readonly Digest[] =>
  receipt.logs.flatMap((log) => decodeEvents('ConsentRegistry', log)).flatMap((event) => (event.kind === 'ConsentWithdrawn' ? [event.tag] : []))

/** What a node's account says on chain. */
export function writerOf(send: Send): ChainWriter & { reportEpoch(study: number, epoch: number): Promise<void> } {
  const round = async (method: string, ...args: unknown[]): Promise<void> => void (await send('RoundCoordinator', method, args))
  return {
    async openRun(study, model) {
      const receipt = await send('RoundCoordinator', 'openRun', [study, model.root, model.cid])
      return runId(numberOf(fromReceipt(receipt, 'RoundCoordinator', 'RunOpened', 'run')))
    },
    charge: async (run, no, dataset) => void (await send('PrivacyLedger', 'charge', [run, no, dataset])),
    key: (run, no, dealDigest, dealCid, holds, heldDeals) => round('key', run, no, dealDigest, dealCid, holds, heldDeals),
    justify: (run, no, justification, began = ZERO_DIGEST) => round('justify', run, no, began, justification),
    contribute: (run, no, root, cid, cohortRoot, opening = ZERO_DIGEST) => round('contribute', run, no, root, cid, cohortRoot, opening),
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
    publishTerms: async (programme, { basis, ombudsman, ...terms }) =>
      void (await send('ConsentRegistry', 'publishTerms', [programme, { ...terms, basis: LAWFUL_BASES.indexOf(basis), ombudsman: ombudsman ?? NOBODY }])),
    withdraw: async (programme, blind, patientKey, signature) => void (await send('ConsentRegistry', 'withdraw', [programme, blind, patientKey, signature])),
    async withdrawMany(programme, withdrawals) {
      const tags: Digest[] = []
      for (let at = 0; at < withdrawals.length; at += BATCH) {
        const batch = withdrawals.slice(at, at + BATCH).map(compact)
        tags.push(...withdrawnBy(await send('ConsentRegistry', 'withdrawMany', [programme, batch], batchGas(batch.length))))
      }
      return tags
    },
    withdrawByOmbudsman: async (programme, tag, signature) => void (await send('ConsentRegistry', 'withdrawByOmbudsman', [programme, tag, signature ?? '0x'])),
    audit: async (category, subject) => void (await send('AuditLog', 'record', [category, subject])),
  }
}
