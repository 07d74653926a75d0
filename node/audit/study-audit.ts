import { isRotaError } from '#base/errors.ts'
import type { Learner } from '#core/learner/learner.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { decodeProtocol } from '#wire/protocol.ts'
import type { BlockSource } from './block-source.ts'
import { digestOf } from './digest.ts'
import type { StudyLog } from './run-log.ts'
import { type DamagedBlock, readStored } from './unixfs-object.ts'

/** Gives a study's learner: `advance` is the definition of the step, so nodes and auditors run the same one. */
export type LearnerFor = (protocol: Protocol) => Learner

/** A study's protocol as its stewards approved it, or why it could not be had. */
export interface StudyAudit {
  readonly log: StudyLog
  readonly protocol: Protocol | null
  readonly learner: Learner | null
  readonly why: string
  readonly damaged: readonly DamagedBlock[]
  /** The bytes under its CID are not what stewards approved. */
  readonly wrong: boolean
}

export async function loadStudyAudit(log: StudyLog, sources: readonly BlockSource[], learnerFor: LearnerFor): Promise<StudyAudit> {
  const { bytes, damaged, missing } = await readStored(sources, log.protocolCid)
  const without = (why: string, wrong: boolean): StudyAudit => ({ log, protocol: null, learner: null, why, damaged, wrong })
  if (bytes === null || missing.length > 0) return without(`the protocol of study ${log.study} (CID ${log.protocolCid}) is not in the store`, false)
  const digest = digestOf(bytes)
  if (digest !== log.protocolDigest && damaged.some((block) => !block.mended)) return without(`the protocol of study ${log.study} is damaged`, false)
  if (digest !== log.protocolDigest) return without(`the protocol of study ${log.study} has digest ${digest}, stewards approved ${log.protocolDigest}`, true)
  try {
    const protocol = decodeProtocol(bytes)
    return { log, protocol, learner: learnerFor(protocol), why: '', damaged, wrong: false }
  } catch (error) {
    if (!isRotaError(error)) throw error
    return without(`the protocol of study ${log.study} cannot be used: ${error.message}`, true)
  }
}
