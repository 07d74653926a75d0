import { has } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import { encodeModel } from '#wire/model.ts'
import { supportOf } from '../attestations.ts'
import type { FaultList } from '../fault-list.ts'
import { rootOf } from '../merkle-tree.ts'
import type { RoundInput } from '../round-input.ts'
import { type FetchParcel, isAsDealt } from './doubts.ts'
import { holdersOf, isRight, lowersOf, type MaskEvidence } from './seeds.ts'
import { secretOf } from './shares.ts'
import type { Shown } from './unmaskings.ts'

type Model = NonNullable<RoundInput['base']['known']>['model']

/** The base that is kept where a sum could not be unmasked, without the sites at fault. */
export const withoutSites = (base: Model, sites: readonly SiteId[]): Model => ({
  ...base,
  leftOut: { sites: [...new Set([...(base.leftOut?.sites ?? []), ...sites])].sort((a, b) => a - b), refusals: base.refusals },
})

/**
 * Whose shares had the round refused, by what those who refused it left: of each site that the model names, shares to which it is bound and which rebuild another
 * secret than it promised. @returns null where the round was not refused for that
 */
export async function leftOutFor(
  { base, round, ended }: RoundInput,
  evidence: MaskEvidence,
  shown: ReadonlyMap<SiteId, Shown>,
  fetch: FetchParcel,
  faults: FaultList,
): Promise<readonly SiteId[] | null> {
  const known = base.known
  if (ended.kind !== 'RoundRefused') return null
  const shownBy = supportOf(round, ended).sites.flatMap(({ site }): Shown[] => [shown.get(site) ?? []].filter((each) => each.length > 0))
  const named = shownBy.map((each) => each.map(({ dealer }) => dealer))
  const sites = known === null ? named[0] : named.find((each) => rootOf(encodeModel(withoutSites(known.model, each))) === ended.modelRoot)
  if (sites === undefined) return null
  for (const dealer of sites) {
    const found = shownBy.flat().filter((each) => each.dealer === dealer)
    const verdicts = await Promise.all(found.map((each) => isDisproved(evidence, each, fetch)))
    if (verdicts.includes(true))
      faults.note(`site ${dealer} dealt shares of another secret than it committed to: nobody can unmask the sum, and it is left out of the run`)
    else if (verdicts.includes(null)) faults.note(`the deal of site ${dealer} is not in the stores: it is left out on the word of those who attested it`)
    else faults.add('masks', `site ${dealer} was left out for its shares, and what was shown of them does not hold`)
  }
  return sites
}

/** Null when a parcel is gone, or a deal, and what is left does not show it. */
export async function isDisproved(evidence: MaskEvidence, { dealer, shares }: Shown[number], fetch: FetchParcel): Promise<boolean | null> {
  const { round, indexes, survivors } = evidence
  const holders = holdersOf(evidence, dealer)
  const places = new Set(shares.map(({ holder }) => holder))
  if (shares.length !== round.threshold || places.size !== shares.length || ![...places].every((each) => holders.includes(each))) return false
  const index = indexes.get(dealer)
  if (index === undefined) return null
  const asDealt = await Promise.all(shares.map(({ holder, share }) => isAsDealt(evidence, dealer, holder, share, fetch)))
  if (asDealt.includes(false)) return false
  if (asDealt.includes(null)) return null
  const secret = secretOf(shares.map(({ share }) => share))
  if (secret === null || !isRight(evidence, dealer, index, secret)) return true
  // What it hid of one below it whose deal is gone might be false.
  return !has(survivors, dealer) && lowersOf(evidence, dealer).some((lower) => !indexes.has(lower)) ? null : false
}

/** Whether a round repeats a refused one as one sum: a site was left out after a sum had been refused, so that groups would be others. */
export const isOneSum = ({ leftOut }: Model): boolean => leftOut !== undefined && leftOut.refusals > 0

export const isLeftOut = ({ leftOut }: Model, site: SiteId): boolean => leftOut?.sites.includes(site) === true
