import { bitmapOf, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { equalBytes, fromHex } from '#base/bytes.ts'
import type { Bitmap, Digest, SiteId } from '#base/ids.ts'
import { encodeModel } from '#wire/model.ts'
import { sha256 } from './digest.ts'
import type { FaultList } from './fault-list.ts'
import { type DealFiles, readDealFiles } from './masks/deal-files.ts'
import { isLeftOut, isOneSum, leftOutFor } from './masks/disproofs.ts'
import { type FetchParcel, settleBlame, settleDoubts } from './masks/doubts.ts'
import { drawnIn, groupsFrom, isBeforeDraw } from './masks/drawn-groups.ts'
import { groupFaults, groupsIn, type MaskGroup } from './masks/groups.ts'
import { readJustifications } from './masks/justifications.ts'
import { linksOf, type MaskEdges, type MaskRound, maskRoundOf } from './masks/mask-round.ts'
import { unmask } from './masks/unmask.ts'
import { readUnmaskings } from './masks/unmaskings.ts'
import { rootOf } from './merkle-tree.ts'
import type { RoundInput } from './round-input.ts'
import { eventsOf } from './run-log.ts'
import { readStored } from './unixfs-object.ts'

/** What stands between the published sum of a masked round and the sum that its model follows from. */
export interface MaskOutcome {
  /** Null when the masks cannot be taken off. */
  readonly plain: Uint8Array | null
  /** Why not. */
  readonly lacking: readonly string[]
  /** Attesters of whose releases nothing is in the stores. */
  readonly missing: readonly SiteId[]
  /** By `own` of an attestation; null where what it names is gone, so that it cannot be seen whether its site held the model. */
  readonly proofs: ReadonlyMap<Digest, Digest | null>
  /** Of a round that was repeated in groups. */
  readonly groups: readonly MaskGroup[]
  /** Sites whose shares had the round refused: then no masks come off, and none need to. */
  readonly leftOut: readonly SiteId[] | null
}

export const isMasked = ({ study }: Pick<RoundInput, 'study'>): boolean => study.protocol !== null && study.protocol.mode !== 'open'

/** Takes the masks off the frozen set's sum again, from what sites keyed with and what they showed afterwards. @param sum of masked vectors; null when it is not known */
export async function verifyMasks(input: RoundInput, sum: Uint8Array | null, faults: FaultList): Promise<MaskOutcome | null> {
  const key = input.key.key
  if (!isMasked(input) || key === null) return null
  const round = maskRoundOf(termsOf(input))
  const links = linksOf(round, eventsOf(input.round, 'Keyed'), readJustifications(input.round, round, faults))
  const { edges } = links
  checkPlaces(input, round, edges, faults)
  const files = await readDealFiles(input, round, edges, key, faults)
  const { releases, told, shown, proofs, missing } = await readUnmaskings(input, round, key, faults)
  if (sum === null || input.round.frozen === null) return { plain: null, lacking: [], missing, proofs, groups: [], leftOut: null }
  const keyed = new Map(eventsOf(input.round, 'Keyed').map((event) => [event.site, event]))
  const evidence = { round, keyed, ...links, survivors: input.round.frozen.included, indexes: indexesIn(files), releases, told }
  const groups = groupsOf(input, round, edges, sum.length)
  for (const line of groupFaults(groups, evidence.survivors)) if (groups.length > 0) faults.add('masks', line)
  const known = input.base.known
  if (known !== null && isInGroups(input.study, known.model) && groups.length < 3) {
    faults.add('masks', 'its sites make no three groups of four by the draw of their study, and it showed a sum')
    return { plain: null, lacking: [], missing, proofs, groups, leftOut: null }
  }
  const fetch: FetchParcel = (named, dealer, holder) => parcelAt(input, files, { named, dealer, holder })
  const leftOut = await leftOutFor(input, evidence, shown, fetch, faults)
  if (leftOut !== null) return { plain: null, lacking: [], missing, proofs, groups, leftOut }
  const found = unmask(evidence, sum, input.study.protocol?.arithmetic.wordBits ?? 64, groups)
  const settled = await settleDoubts(evidence, found.doubted, fetch)
  const blamed = await settleBlame(evidence, found.blamed, fetch)
  for (const text of [...blamed, ...settled, ...found.noted]) faults.note(text)
  return { plain: found.plain, lacking: found.lacking, missing, proofs, groups, leftOut: null }
}

/** Whether the round from this model is one of groups that its study drew. */
export const isInGroups = ({ protocol }: RoundInput['study'], model: NonNullable<RoundInput['base']['known']>['model']): boolean =>
  protocol?.mode === 'groups' && !isBeforeDraw(model)

/** Of a study in groups, or a round that repeats a refused one; none of others, and where the model that it starts from is gone. @param length of the sum in bytes */
function groupsOf({ base, study, run, round }: RoundInput, { members }: MaskRound, edges: MaskEdges, length: number): MaskGroup[] {
  const model = base.known?.model
  if (model !== undefined && isInGroups(study, model)) {
    const draw = drawnIn(study.log)
    return draw === null ? [] : groupsFrom(draw, edges, model.refusals === 0 && model.leftOut === undefined ? [] : refusedBefore(run, round), length)
  }
  if (model === undefined || model.refusals === 0 || isOneSum(model) || study.protocol?.privacy?.place === 'distributed') return []
  const refused = refusedBefore(run, round).map((set) => bitmapOf(sitesOf(set).filter((site) => !isLeftOut(model, site))))
  const first = model.refusals === 1 ? base.root : rootOf(encodeModel({ ...model, refusals: 1 }))
  return groupsIn(edges, refused, members, { run: run.run, model: first }, length)
}

/** Frozen sets of the rounds before this one that were refused since one closed. */
function refusedBefore({ rounds }: RoundInput['run'], { opened }: RoundInput['round']): Bitmap[] {
  const before = [...rounds.values()].filter((one) => one.opened.round < opened.round && one.ended !== null)
  const since = before.slice(before.findLastIndex((one) => one.ended?.kind === 'RoundClosed') + 1)
  return since.flatMap((one) => (one.ended?.kind === 'RoundRefused' && one.frozen !== null ? [one.frozen.included] : []))
}

const indexesIn = (files: DealFiles) => new Map([...files].map(([site, { index }]) => [site, index]))

interface WantedParcel {
  readonly named: Digest
  readonly dealer: SiteId
  readonly holder: SiteId
}

/** Out of its dealer's deal file, or an object of its own: that is kept for some days; null afterwards. */
async function parcelAt({ sources }: RoundInput, files: DealFiles, { named, dealer, holder }: WantedParcel): Promise<Uint8Array | null> {
  const file = files.get(dealer)
  const together = file?.parcels[sitesOf(file.index.to).indexOf(holder)]
  if (together) return equalBytes(sha256(together), fromHex(named)) ? together : null
  const { bytes, missing, damaged } = await readStored(sources, named)
  return missing.length > 0 || damaged.some((block) => !block.mended) ? null : bytes
}

const termsOf = ({ chain, study, run, round: { opened } }: RoundInput) => ({
  ...{ chainId: chain.chainId, genesis: chain.genesis, coordinator: chain.coordinator },
  ...{ study: run.study, run: run.run, round: opened.round, epoch: opened.epoch, baseRoot: opened.baseRoot },
  ...{ protocol: study.log.protocolDigest, members: opened.awaited },
})

/** Whoever is in masked with enough others, and as many are in as a secret takes. */
function checkPlaces({ round }: RoundInput, { threshold }: MaskRound, edges: MaskEdges, faults: FaultList): void {
  const included = round.frozen?.included
  if (included === undefined) return
  for (const site of sitesOf(included)) if (!edges.has(site)) faults.add('masks', `site ${site} is in the set and shares masks with too few others`)
  if (sizeOf(included) < threshold) faults.add('masks', `${sizeOf(included)} sites are in the set, and ${threshold} are needed to take masks off`)
  for (const { site } of eventsOf(round, 'Contributed'))
    if (has(included, site) && !eventsOf(round, 'Keyed').some((e) => e.site === site)) faults.add('masks', `site ${site} contributed without having keyed`)
}
