import { concat, fromHex } from '#base/bytes.ts'
import { addVectors } from '../ring/add.ts'
import type { DisputeEvidence, SumProof } from './dispute.ts'

/** A dispute as the contract takes it: contracts/types/Disputes.sol. */
export interface EvidenceBytes {
  readonly leaf: number
  readonly leaves: number
  readonly contributions: Uint8Array
  readonly updates: Uint8Array
  readonly sum: Uint8Array
}

/** One call of a dispute: the leaves of `count` sites after the first `done`, whose sum is `partialSum`. The last one brings the sum. */
export interface DisputePart {
  readonly done: number
  readonly count: number
  readonly partialSum: Uint8Array
  readonly evidence: EvidenceBytes
}

/** Above so many updates a dispute goes in parts: a transaction has at most 128 KiB on the chains we know. */
export const UPDATES_A_CALL = 64

const NOTHING = new Uint8Array(0)

/** The calls of a dispute in order; one where it fits. */
export function partsOf(evidence: DisputeEvidence, updatesACall: number = UPDATES_A_CALL): DisputePart[] {
  const { leaf, leaves, wordBits, updates } = evidence
  const contributions = concat(...evidence.contributions.map(({ site, root }) => concat(Uint8Array.of(site), fromHex(root))))
  let partialSum: Uint8Array = NOTHING
  return Array.from({ length: Math.ceil(updates.length / updatesACall) }, (_, i) => {
    const done = i * updatesACall
    const some = updates.slice(done, done + updatesACall)
    const isLast = done + some.length === updates.length
    const bytes = concat(...some.map((update) => concat(update.leaf, ...update.path.map(fromHex))))
    const part = { leaf, leaves, contributions, updates: bytes, sum: isLast ? sumBytes(evidence.sum) : NOTHING }
    const before = partialSum
    if (!isLast) partialSum = sumOf([...(done === 0 ? [] : [before]), ...some.map((update) => update.leaf)], wordBits)
    return { done, count: some.length, partialSum: before, evidence: part }
  })
}

const sumOf = (leaves: readonly Uint8Array[], wordBits: 32 | 64): Uint8Array => addVectors(leaves.map((bytes) => ({ ring: true, wordBits, bytes }))).bytes

const sumBytes = (sum: SumProof): Uint8Array => concat('found' in sum ? fromHex(sum.found) : sum.leaf, ...sum.path.map(fromHex))
