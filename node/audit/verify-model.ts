import { EMPTY, sizeOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Advance } from '#core/learner/learner.ts'
import { decodeModel, encodeModel } from '#wire/model.ts'
import { supportOf } from './attestations.ts'
import type { FaultList } from './fault-list.ts'
import { withoutSites } from './masks/disproofs.ts'
import { isBeforeDraw, withSaltOf } from './masks/drawn-groups.ts'
import type { MaskGroup } from './masks/groups.ts'
import { medianOfGroups } from './median-of-groups.ts'
import { rootOf } from './merkle-tree.ts'
import type { KnownModel, RoundInput } from './round-input.ts'
import { stepOfGroups } from './step-of-groups.ts'
import { type Finding, findObject } from './stored-object.ts'
import { readSum, withinBounds } from './sum-values.ts'
import type { MaskOutcome } from './verify-masks.ts'

export interface ModelOutcome {
  /** With the root that the round ended with; null when it can neither be computed nor read. */
  readonly known: KnownModel | null
  /** It followed from the base and the sum. */
  readonly recomputed: boolean
}

/** A sum without masks, where it is known. */
type Unmasked = Pick<MaskOutcome, 'plain' | 'groups' | 'leftOut'>

/** Takes the learner's step again, from the base and the sum, and compares with what the sites attested and with what is stored. */
export async function verifyModel(given: RoundInput, { plain: sum, groups, leftOut }: Unmasked, faults: FaultList): Promise<ModelOutcome> {
  const input = await withStart(given, faults)
  const { ended, sources, key } = input
  const status = statusOf(input)
  if (sum !== null && input.study.learner !== null && input.base.known === null) faults.note('the model that it starts from is not in the stores')
  const step = leftOut !== null && input.base.known !== null ? leftOutOf(input.base.known, leftOut) : sum && stepFor(input, sum, groups, faults)
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

/** A step, or the base that is kept. */
export type KnownStep = Pick<Advance, 'model'> & { readonly status: Advance['status'] | 'refused' }

/** More than half of the sites may have refused what follows from the sum, by rows of their own that nobody else has: then the base stays, and no more. */
function refusedByVote(input: RoundInput, step: KnownStep | null, faults: FaultList): KnownStep | null {
  const { base, ended, round } = input
  if (!hasVotes(input) || step === null || step.status === 'refused' || ended.kind !== 'RoundRefused' || base.known === null) return step
  const against = supportOf(round, ended).sites.map(({ site }) => site)
  faults.note(`the model that follows from base and sum was refused by the vote of site ${against.join(', ')}; the base was kept`)
  return kept(base.known)
}

/** The base, with its refusals one up. */
const kept = ({ model }: KnownModel): KnownStep => ({ model: { ...model, refusals: model.refusals + 1 }, status: 'refused' })

const leftOutOf = ({ model }: KnownModel, sites: readonly SiteId[]): KnownStep => ({ model: withoutSites(model, sites), status: 'refused' })

/** What follows from the sum, or from those of the groups that hold. */
function stepFor(input: RoundInput, sum: Uint8Array, groups: readonly MaskGroup[], faults: FaultList): KnownStep | null {
  const { study, ended, round } = input
  const included = round.frozen?.included ?? EMPTY
  const stepOf = (of: Uint8Array, sites: number): KnownStep | null => stepFrom(input, of, sites, faults)
  if (input.base.known !== null && study.protocol?.mode === 'groups')
    return refusedByVote(input, stepOfDrawn(input, input.base.known.model, sum, groups, faults), faults)
  if (groups.length === 0) return refusedByVote(input, stepOf(sum, sizeOf(included)), faults)
  const wordBits = study.protocol?.arithmetic.wordBits ?? 64
  const isResult = ({ model, status }: KnownStep): boolean => status === statusOf(input) && knownModel(model).root === ended.modelRoot
  const mayVote = ended.kind === 'RoundClosed' && hasVotes(input)
  return refusedByVote(input, stepOfGroups({ sum, groups, included, wordBits, mayVote, stepFrom: stepOf, isResult }, faults), faults)
}

/** In groups: the round that draws them shows nothing else; each later one leads to the middle of what they say. */
function stepOfDrawn(input: RoundInput, base: KnownModel['model'], sum: Uint8Array, groups: readonly MaskGroup[], faults: FaultList): KnownStep | null {
  const included = input.round.frozen?.included ?? EMPTY
  const stepOf = (of: Uint8Array, sites: number): KnownStep | null => stepFrom(input, of, sites, faults)
  if (!isBeforeDraw(base)) return medianOfGroups({ sum, groups, included, stepFrom: stepOf }, base, faults)
  const step = stepOf(sum, sizeOf(included))
  return step && { ...step, model: withSaltOf(step.model, sum) }
}

const statusOf = ({ ended }: RoundInput): KnownStep['status'] => (ended.kind === 'RoundClosed' ? ended.status : 'refused')
const hasVotes = ({ study }: RoundInput): boolean => (study.protocol?.validation?.tolerance ?? 'none') !== 'none'

/** A sum that updates inside the protocol's bounds cannot add up to keeps the base. @param sites that are in it */
function stepFrom({ base, study }: RoundInput, sum: Uint8Array, sites: number, faults: FaultList): KnownStep | null {
  if (base.known === null || study.learner === null) return null
  try {
    const { model } = base.known
    const layout = study.learner.layout(model)
    const values = readSum(sum, layout, sites)
    if (values === null) return failed(faults, `the sum has ${sum.length} bytes, which is not what its stage sends`)
    return withinBounds(layout, values) ? study.learner.advance(model, values) : kept(base.known)
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
