import { sizeOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { Advance } from '#core/learner/learner.ts'
import { decodeModel, encodeModel } from '#wire/model.ts'
import type { FaultList } from './fault-list.ts'
import { rootOf } from './merkle-tree.ts'
import type { KnownModel, RoundInput } from './round-input.ts'
import { type Finding, findObject } from './stored-object.ts'
import { readSum, withinBounds } from './sum-values.ts'

export interface ModelOutcome {
  /** With the root that the round ended with; null when it can neither be computed nor read. */
  readonly known: KnownModel | null
  /** It followed from the base and the sum. */
  readonly recomputed: boolean
}

/** Takes the learner's step again, from the base and the sum, and compares with what the sites attested and with what is stored. */
export async function verifyModel(given: RoundInput, sum: Uint8Array | null, faults: FaultList): Promise<ModelOutcome> {
  const input = await withStart(given, faults)
  const { ended, sources, key } = input
  const status = ended.kind === 'RoundClosed' ? ended.status : 'refused'
  if (sum !== null && input.study.learner !== null && input.base.known === null) faults.note('the model that it starts from is not in the stores')
  const step = sum && stepFrom(input, sum, faults)
  const computed = step && knownModel(step.model)
  const follows = computed !== null && computed.root === ended.modelRoot && step?.status === status
  if (computed && !follows)
    faults.add('model', `base and sum lead to model ${computed.root} (${step?.status}), the sites attested ${ended.modelRoot} (${status})`)
  const stored = key.key && (await findObject(sources, { kind: 'model', cid: ended.modelCid, root: ended.modelRoot, site: null }, key.key))
  if (stored) faults.object(stored, computed && { bytes: computed.bytes, named: 'the recomputed model' })
  if (follows) return { known: computed, recomputed: true }
  return { known: stored && readKnown(stored, faults), recomputed: false }
}

/** A run that continues another begins with a model that is stored: nothing makes it again. */
async function withStart(input: RoundInput, faults: FaultList): Promise<RoundInput> {
  const { base, study, sources, key } = input
  if (base.known !== null || study.protocol?.start?.root !== base.root || !key.key) return input
  const stored = await findObject(sources, { kind: 'model', cid: base.cid, root: base.root, site: null }, key.key)
  return { ...input, base: { ...base, known: stored && readKnown(stored, faults) } }
}

type Step = Pick<Advance, 'model'> & { readonly status: Advance['status'] | 'refused' }

/** A sum that updates inside the protocol's bounds cannot add up to keeps the base, with its refusals one up. */
function stepFrom({ base, study, round }: RoundInput, sum: Uint8Array, faults: FaultList): Step | null {
  if (base.known === null || study.learner === null) return null
  try {
    const { model } = base.known
    const layout = study.learner.layout(model)
    const values = readSum(sum, layout, round.frozen ? sizeOf(round.frozen.included) : 0)
    if (values === null) return failed(faults, `the sum has ${sum.length} bytes, which is not what its stage sends`)
    if (!withinBounds(layout, values)) return { model: { ...model, refusals: model.refusals + 1 }, status: 'refused' }
    return study.learner.advance(model, values)
  } catch (error) {
    if (isRotaError(error)) return failed(faults, `no model follows from base and sum: ${error.message}`)
    throw error
  }
}

function failed(faults: FaultList, message: string): null {
  faults.add('model', message)
  return null
}

export function knownModel(model: KnownModel['model']): KnownModel {
  const bytes = encodeModel(model)
  return { model, bytes, root: rootOf(bytes) }
}

function readKnown(stored: Finding, faults: FaultList): KnownModel | null {
  if (stored.bytes === null) return null
  try {
    return { model: decodeModel(stored.bytes), bytes: stored.bytes, root: stored.object.root }
  } catch (error) {
    if (!isRotaError(error)) throw error
    faults.add('model', `the stored model (CID ${stored.object.cid}) is none: ${error.message}`)
    return null
  }
}
