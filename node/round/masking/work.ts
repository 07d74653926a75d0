import { bitmapOf, EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import type { Bitmap, Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { MaskingRound } from '#core/masking/context.ts'
import { heldBy } from '#core/masking/graph.ts'
import { groupsStand, tellsOfFew } from '#core/masking/groups.ts'
import { awaitedReleases } from '#core/masking/rebuild.ts'
import type { Model } from '#core/model/model.ts'
import { isForShares } from '#core/model/refuse.ts'
import type { StudyRules } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { type ChainTime, partsPassed } from '../clock.ts'
import type { MaskingWork } from '../next.ts'
import type { Play, Round } from '../play.ts'
import { isAheadDue } from './ahead.ts'
import { dealtBefore, isMember } from './dealing.ts'
import { watchReleases } from './heard-releases.ts'
import { hasShownTooMany } from './justify.ts'
import { sitesLeftOut } from './left-out.ts'
import { dealFileOf, isDrawn, isMasked, isOpening, type MaskedRound } from './masked-round.ts'
import { checkedReleases, indexesFor } from './releases.ts'
import { keyedBefore } from './said.ts'
import { wereDrawn } from './secrets.ts'
import { soundOffers } from './sound.ts'
import { tellOfMasks, whyMasked } from './void-round.ts'

/** Gossip may be lost, and a site may start late: what the others wait for is said again, in large rounds less often. */
const againMs = ({ terms }: MaskedRound): number => Math.max(1_000, 20 * sizeOf(terms.members))
/** Of the limit of Keying: so long offers are waited for, and so long deals. What is left has room for a call of each site, each a second after the one before. */
const PARTS = 4
const DEALS_AFTER = 1
const KEYS_AFTER = 2
/** Who has not keyed by then hardly will. */
const LATE_AFTER = 3

/** What there is to do, and what this site may, in the masked round that is open; null in an open study, and while the log does not show the round, or all its keys. */
export function maskingWork(play: Play, round: Round, rules: StudyRules, head: ChainTime): MaskingWork | null {
  const { masked } = play
  if (!isMasked(play) || masked === null) return null
  const { phase, justifying } = round.view.round
  if (!isOpening(masked, round.view) || (phase !== 'Keying' && !masked.isShown)) return null
  return {
    ...NOTHING,
    aheadDue: isAheadDue(play, round),
    wantsNext: satOut(play, round),
    ...(phase === 'Keying' && !justifying ? keyingWork(play, round, masked, partsPassed(rules, round.view.round, head, PARTS)) : {}),
    ...(justifying ? justifyingWork(play, round, masked) : {}),
    ...(phase === 'Contributing' ? contributingWork(play, round, masked) : {}),
    ...(phase === 'Publishing' || phase === 'Attesting' ? unmaskingWork(play, round, masked) : {}),
  }
}

/** Whoever had no place in the round, or justified itself too late, is back in the next, also where its word was the last that the others waited for. */
function satOut({ site }: Play, { run, round, view }: Round): boolean {
  const said = site.journal.entries().findLast((e) => e.kind === 'abstained' && e.run === run && e.round === round)
  return has(view.round.abstained, site.id) && (said === undefined || (said.kind === 'abstained' && said.reason === 'unspecified'))
}

const NOTHING: MaskingWork = {
  offerDue: false,
  dealDue: false,
  keyDue: false,
  justifyDue: false,
  sitsOut: false,
  shownTooMany: false,
  wantsNext: false,
  mayMask: false,
  canBeUnmasked: false,
  releaseDue: false,
  mayUnmask: false,
  releasedOther: false,
  aheadDue: false,
}

function keyingWork(play: Play, round: Round, masked: MaskedRound, passed: number): Partial<MaskingWork> {
  const { site } = play
  if (!isMember(masked, site.id)) return {}
  // Drawn and burnt, or lost: a second pair of keys for one round would unmask what was sent under the first.
  if (masked.keys === null && wereDrawn(site, masked)) return { sitsOut: true, wantsNext: has(round.view.round.abstained, site.id) }
  // Most dealt to keys that it does not have any more, or not as they should: it could not be hidden among them.
  if (masked.deals.refused.size > sizeOf(masked.terms.members) - masked.terms.threshold && !has(round.view.round.keyed, site.id))
    return { sitsOut: true, wantsNext: has(round.view.round.abstained, site.id) }
  const offered = [...soundOffers(play, masked).keys()]
  const isDealt = dealtBefore(play, masked) !== null
  return {
    wantsNext: passed >= LATE_AFTER && !has(round.view.round.keyed, site.id),
    // Again after a second, two, four: where all are slow, saying it all the time makes them slower.
    offerDue: site.host.clock.nowMs() - masked.offeredMs >= Math.max(againMs(masked), masked.offeredMs - masked.seenMs),
    dealDue: !isDealt && masked.keys !== null && mayDeal(play, round, masked, offered, passed >= DEALS_AFTER),
    keyDue: isDealt && masked.deals.opened.has(site.id) && mayKey(play, round, masked, offered, passed >= KEYS_AFTER),
  }
}

/** Once all that keyed are known: who of them lacks this site's deal follows from that. Whoever did not key is back in the next round. */
function justifyingWork({ site }: Play, { view: { round } }: Round, { isShown }: MaskedRound): Partial<MaskingWork> {
  const hasKeyed = has(round.keyed, site.id)
  return { justifyDue: isShown && hasKeyed && !has(round.justified, site.id), wantsNext: !hasKeyed }
}

/** Others that are awaited; where those would be too few all of the rota. */
function waitedFor(play: Play, { view }: Round, terms: MaskingRound): SiteId[] {
  const { site } = play
  const { awaited, abstained } = view.round
  const all = sizeOf(awaited) >= terms.threshold ? awaited : terms.members
  return sitesOf((all & ~abstained & ~sitesLeftOut(play)) as Bitmap).filter((each) => each !== site.id)
}

/** Once all that are awaited have offered keys, and whoever is back without being awaited had a moment for it; or, when patience is over, enough have. */
function mayDeal(play: Play, round: Round, masked: MaskedRound, offered: readonly SiteId[], patienceOver: boolean): boolean {
  const { members, threshold } = masked.terms
  if (offered.length + 1 < threshold) return false
  const { id } = play.site
  const isWhole = sitesOf((members & ~round.view.round.abstained & ~sitesLeftOut(play)) as Bitmap).every((each) => each === id || offered.includes(each))
  const hadTime = play.site.host.clock.nowMs() - masked.seenMs >= againMs(masked)
  return patienceOver || isWhole || (hadTime && waitedFor(play, round, masked.terms).every((each) => offered.includes(each)))
}

/** Once the deals of all are here that are awaited, or that offered keys and so are up. */
function mayKey(play: Play, round: Round, { deals, terms }: MaskedRound, offered: readonly SiteId[], patienceOver: boolean): boolean {
  const isSettled = (dealer: SiteId): boolean => deals.opened.has(dealer) || deals.refused.has(dealer) || has(round.view.round.abstained, dealer)
  if (deals.opened.size < terms.threshold) return false
  return patienceOver || [...waitedFor(play, round, terms), ...offered].every(isSettled)
}

/** Whoever keyed and shares masks with too few would not be hidden, nor could its masks be taken off. */
function contributingWork(play: Play, round: Round, masked: MaskedRound): Partial<MaskingWork> {
  const { site, study } = play
  const { base, view } = round
  tellOfMissing(play, round, masked, (bitmapOf(masked.keyed.map((event) => event.site)) & masked.among) as Bitmap)
  // What a round in groups would show of groups that are too small, nobody sends.
  const stands = masked.groups === null ? !isDrawn(study, base.model) : groupsStand(masked.groups, masked.masks.sites)
  const isIn = stands && has((masked.masks.sites & masked.among) as Bitmap, site.id)
  const neighbours = sitesOf(masked.graph.neighbours(site.id))
  const shownTooMany = hasShownTooMany(play, masked)
  const isLost = isIn && (masked.keys === null || neighbours.some((dealer) => isWithout(masked, dealer)) || shownTooMany)
  const hasKeyed = masked.keyed.some((event) => event.site === site.id)
  // A call of an opening that the chain lost, which came back to it in this one.
  const isForeign = hasKeyed && keyedBefore(play, masked)?.root !== masked.keyed.find((event) => event.site === site.id)?.dealDigest
  const sitsOut = isLost || isForeign || (hasKeyed && !isIn)
  return {
    sitsOut,
    shownTooMany,
    wantsNext: sitsOut ? has(view.round.abstained, site.id) : !hasKeyed,
    mayMask: isIn && !isLost && !isForeign && [site.id, ...neighbours].every((dealer) => masked.deals.opened.has(dealer)),
  }
}

/**
 * Whether shares were shown for another set: of the same model, since two sums that differ by one site show its update; or of the same round, whatever its
 * model, since its secrets are shared out before the model is known, and both of one site's would be shown then.
 */
export const showedOther = (
  entries: readonly JournalEntry[],
  { run, round, base, included }: { readonly run: RunId; readonly round: RoundNo; readonly base: Digest; readonly included: Bitmap },
): boolean => entries.some((e) => e.kind === 'released' && e.run === run && (e.base === base || e.round === round) && e.included !== included)

function unmaskingWork(play: Play, round: Round, masked: MaskedRound): Partial<MaskingWork> {
  const { included, phase, publication } = round.view.round
  const canBeUnmasked = isUnmaskable(play, masked, included)
  if (phase === 'Publishing') tellOfMissing(play, round, masked, included)
  const releasedOther = showedOther(play.site.journal.entries(), { run: round.run, round: round.round, base: round.view.model.root, included })
  const why = whyMasked(masked, included)
  if (why !== null) tellOfMasks(play, masked, why)
  if (phase !== 'Attesting' || publication === null || !canBeUnmasked) return { canBeUnmasked, releasedOther }
  watchReleases(play, round, masked)
  return {
    canBeUnmasked,
    releasedOther,
    releaseDue: masked.keys !== null && heldBy(masked.graph, play.site.id) !== EMPTY && play.site.host.clock.nowMs() - masked.releasedMs >= againMs(masked),
    mayUnmask: hasShares(play, round, masked),
  }
}

/** Somebody has to know why the rounds of a run that repeats a refused one are void. @param here sites that may still be in this one's sum */
function tellOfMissing(play: Play, { run, round }: Round, masked: MaskedRound, here: Bitmap): void {
  const missing = masked.shown.reduce((all, before) => (all | (before & ~here)) as Bitmap, EMPTY)
  if (masked.isWarned || missing === EMPTY || isUnmaskable(play, masked, here)) return
  masked.isWarned = true
  play.site.tell({ kind: 'waits-for-sites', run, round, sites: sitesOf(missing) })
}

/**
 * A set whose sum was shown before, and differs from that of this one by too few sites. Whoever was left out knows what of the sum before nobody else does: it is told by
 * any difference, so all others are in.
 */
export function shownOther(
  base: Pick<Model, 'refusals' | 'leftOut'>,
  { shown }: Pick<MaskedRound, 'shown'>,
  survivors: Bitmap,
  exact = false,
): Bitmap | undefined {
  const isSame = (i: number): boolean => exact || (i === shown.length - 1 && isForShares(base))
  return shown.find((before, i) => (isSame(i) ? before !== survivors : tellsOfFew(before, survivors)))
}

function isUnmaskable({ base, study }: Play, masked: MaskedRound, survivors: Bitmap): boolean {
  const { groups, shown } = masked
  if (groups !== null && !groupsStand(groups, survivors)) return false
  // Each group has shown a sum on this model already: four sites less may be one of each.
  const inGroups = base !== null && isDrawn(study, base.model)
  if (inGroups && groups === null) return false
  if (base !== null && shownOther(base.model, { shown }, survivors, inGroups) !== undefined) return false
  return whyMasked(masked, survivors) === null
}

function hasShares(play: Play, round: Round, masked: MaskedRound): boolean {
  const { included } = round.view.round
  const { terms, graph } = masked
  const releases = checkedReleases(play, round, masked)
  if (masked.lacking !== null && [...releases.values()].every((release) => masked.lacking?.has(release))) return false
  return indexesFor(masked, included) !== null && awaitedReleases({ round: terms, graph, survivors: included, releases }) === EMPTY
}

/** Contributors whose masks can be taken off again as far as this site can tell: what a custodian names. */
export function soundContributors(masked: MaskedRound): Bitmap {
  const isSound = (each: SiteId): boolean => dealFileOf(masked, each) !== undefined
  return sitesOf((masked.masks.sites & masked.among) as Bitmap).reduce((set, each) => (isSound(each) ? set | (1n << BigInt(each)) : set), 0n) as Bitmap
}

const isWithout = ({ deals }: MaskedRound, dealer: SiteId): boolean => deals.refused.has(dealer) && !deals.opened.has(dealer)
