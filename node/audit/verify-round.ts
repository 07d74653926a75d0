import { has, sitesOf } from '#base/bitmap.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { ownOf, supportOf } from './attestations.ts'
import { FaultList } from './fault-list.ts'
import { expectedSet } from './frozen-set.ts'
import { isStray, type MaskGroup } from './masks/groups.ts'
import { doesNotHold, type Fault, type RoundReport, stillMasked, VERDICTS } from './report.ts'
import { type KnownModel, type RoundInput, slicesIn } from './round-input.ts'
import { type EventOf, eventsOf } from './run-log.ts'
import type { Finding } from './stored-object.ts'
import { type MaskOutcome, verifyMasks } from './verify-masks.ts'
import { verifyModel } from './verify-model.ts'
import { verifySum } from './verify-sum.ts'

export interface RoundOutcome {
  readonly report: RoundReport
  readonly faults: readonly Fault[]
  readonly notes: readonly string[]
  /** The model that the round led to, for the next one; null when its bytes are gone. */
  readonly model: KnownModel | null
  /** False when a known sum of masked vectors keeps its masks. */
  readonly unmasked: boolean
  /** Attesters of a masked round of whose releases nothing is in the stores. */
  readonly missing: readonly SiteId[]
}

/** Recomputes one round: who was in, what they add up to, which model follows, and whether enough sites held that model. */
export async function verifyRound(input: RoundInput): Promise<RoundOutcome> {
  const { run, round, ended, study, key } = input
  const faults = new FaultList(run.run, round.opened.round)
  checkLineage(input, faults)
  checkSet(input, faults)
  faults.blocks('protocol', study.log.protocolCid, study)
  faults.blocks('bundle', study.log.epochs.get(round.opened.epoch)?.bundle ?? null, key)
  const published = eventsOf(round, 'Published').find((event) => event.attempt === ended.attempt) ?? null
  if (published === null) faults.add('sum', 'the chain names no publication of the attempt that ended it')
  const sum = published && (await verifySum(input, published, faults))
  const masks = await verifyMasks(input, sum?.bytes ?? null, faults)
  checkParts(sum?.updates ?? [], masks?.groups ?? [], faults)
  const model = await verifyModel(input, masks ?? { plain: sum?.bytes ?? null, groups: [], leftOut: null }, faults)
  checkSupport(input, model.known, masks, faults)
  const recomputed = sum?.recomputed ? VERDICTS.recomputed : VERDICTS.fromSum
  const unmasked = masks === null || masks.plain !== null || masks.leftOut !== null || !sum?.bytes
  const holding = model.recomputed ? recomputed : unmasked ? VERDICTS.attested : stillMasked(whyMasked(masks))
  const verdict = faults.none ? holding : doesNotHold(faults.summary())
  return { report: reportOf(input, published, verdict), faults: faults.list, notes: faults.notes, model: model.known, unmasked, missing: masks?.missing ?? [] }
}

/** Of a round in groups nobody's words stand in another group's part: they would spoil its sum, and it would be named for it. */
function checkParts(updates: readonly Finding[], groups: readonly MaskGroup[], faults: FaultList): void {
  for (const { object, bytes } of groups.length === 0 ? [] : updates) {
    const { site } = object
    const own = groups.find(({ sites }) => site !== null && sites.has(site))
    if (bytes !== null && isStray(bytes, own)) faults.add('masks', `site ${site} has words in another group's part of its update`)
  }
}

const whyMasked = (masks: MaskOutcome | null): readonly string[] => [
  ...(masks && masks.missing.length > 0 ? [`what site ${masks.missing.join(', ')} released is not in the stores`] : []),
  ...(masks?.lacking ?? []),
]

/** Each round starts from the model that the run stood at, with no gap. */
function checkLineage({ round, base }: RoundInput, faults: FaultList): void {
  if (base.stray !== null) faults.add('lineage', base.stray)
  if (round.opened.baseRoot === base.root && round.opened.baseCid === base.cid) return
  faults.add('lineage', `it opened on model ${round.opened.baseRoot}, but the run stood at ${base.root}`)
}

function checkSet(input: RoundInput, faults: FaultList): void {
  const { round } = input
  if (round.frozen === null) {
    faults.add('set', 'it ended without a frozen set')
    return
  }
  const expected = expectedSet(round, slicesIn(input))
  const { included } = round.frozen
  for (const site of expected.strangers) faults.add('set', `site ${site} witnessed without being a custodian then`)
  for (const site of sitesOf(included))
    if (!has(expected.included, site)) faults.add('set', `site ${site} is in the set, and the custodians' bitmaps do not carry it`)
  for (const site of sitesOf(expected.included))
    if (!has(included, site)) faults.add('set', `site ${site} was left out of the set, and the custodians' bitmaps carry it`)
}

/** More than half of the set said so; where the model's bytes are known, only those count whose proof shows that they held them, or lies in an object that is gone. */
function checkSupport({ round, ended }: RoundInput, known: KnownModel | null, masks: MaskOutcome | null, faults: FaultList): void {
  const { sites, needed } = supportOf(round, ended)
  const proofOf = (own: Digest): Digest | null => (masks?.proofs.has(own) ? (masks.proofs.get(own) ?? null) : own)
  const holds = ({ site, own }: EventOf<'Attested'>, { bytes }: KnownModel): boolean => {
    const proof = proofOf(own)
    return proof === null || proof === ownOf(site, bytes)
  }
  const proven = known === null ? sites : sites.filter((vote) => holds(vote, known))
  const unproven = sites.filter((vote) => !proven.includes(vote)).map((vote) => vote.site)
  if (sites.length < needed) faults.add('attestation', `${sites.length} sites attested its result, ${needed} are needed`)
  else if (proven.length < needed)
    faults.add('attestation', `only ${proven.length} of the ${needed} sites needed proved that they held the model; not site ${unproven.join(', ')}`)
  else if (unproven.length > 0) faults.note(`site ${unproven.join(', ')} attested without proof of holding the model; enough others did`)
}

const reportOf = ({ run, round, ended }: RoundInput, published: EventOf<'Published'> | null, verdict: string): RoundReport => ({
  run: run.run,
  study: run.study,
  round: round.opened.round,
  status: ended.kind === 'RoundClosed' ? ended.status : 'refused',
  leader: round.opened.leader,
  publisher: published?.site ?? null,
  included: round.frozen ? sitesOf(round.frozen.included) : [],
  sumRoot: published?.sumRoot ?? null,
  modelRoot: ended.modelRoot,
  verdict,
})
