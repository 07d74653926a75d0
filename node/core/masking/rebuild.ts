import { bitmapOf, EMPTY, has, sitesOf, sizeOf, withSite } from '#base/bitmap.ts'
import { equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import { commitSelf, commitShare, pairTag } from './commitments.ts'
import type { MaskingRound } from './context.ts'
import type { MaskingCrypto } from './crypto.ts'
import { type DealIndex, dealtAbove, type Parcel, type ParcelDigest, pairTagOf, parcelOf } from './deal.ts'
import { type MaskGraph, sharesMasks } from './graph.ts'
import { type KeyedSite, showPair } from './held-deals.ts'
import { pairSecret } from './pair-key.ts'
import { kindFor, type Release, shareAbout } from './release.ts'
import { maskKeyOf } from './round-keys.ts'

export interface UnmaskInput {
  readonly round: MaskingRound
  readonly graph: MaskGraph
  /** What each of its sites keyed with. */
  readonly keyed: ReadonlyMap<SiteId, KeyedSite>
  /** The frozen set. */
  readonly survivors: Bitmap
  /** By dealer, of all sites of the graph. */
  readonly indexes: ReadonlyMap<SiteId, DealIndex>
  /** By sender, each checked with `checkRelease`. */
  readonly releases: ReadonlyMap<SiteId, Release>
  /** A parcel out of the store, by the digest of its index; asked for only when a share is wrong. */
  readonly fetchParcel: (dealer: SiteId, holder: SiteId) => Promise<Parcel | undefined>
  readonly parcelDigest: ParcelDigest
  readonly crypto: MaskingCrypto
}

/** A seed a site: of its self-mask when it survived, of its pair masks when it dropped out. */
export interface Rebuilt {
  readonly seeds: ReadonlyMap<SiteId, Uint8Array>
  /** Who sent a share other than the one that it was given. */
  readonly wrong: Bitmap
  /** Of dealers whose seeds nobody can rebuild. */
  readonly disproofs: readonly Disproof[]
}

/** As many shares as rebuild a secret, each the one that its dealer is bound to, and what they rebuild is not what it promised. Needs nobody's word. */
export interface Disproof {
  readonly dealer: SiteId
  readonly shares: readonly HeldShare[]
}

export interface HeldShare {
  readonly holder: SiteId
  readonly share: Uint8Array
}

/** Sites whose masks stand in a sum, be it their own or those that they share with survivors. */
const dealersOf = (graph: MaskGraph, survivors: Bitmap): readonly SiteId[] =>
  sitesOf((survivors | graph.sites) as Bitmap).filter((dealer) => has(survivors, dealer) || sharesMasks(graph, survivors, dealer))

/**
 * Every seed is checked against what its dealer said in public before anybody masked.
 * @throws ROTA-2329 when good shares are lacking, and nobody's promise is disproved: again when more have answered
 */
export async function rebuildSeeds(input: UnmaskInput): Promise<Rebuilt> {
  const { graph, survivors } = input
  const seeds = new Map<SiteId, Uint8Array>()
  const disproofs: Disproof[] = []
  let wrong = EMPTY
  let lacks: RotaError | null = null
  for (const dealer of dealersOf(graph, survivors)) {
    const rebuilt = await rebuildSeed(input, dealer)
    if (rebuilt instanceof RotaError) {
      lacks ??= rebuilt
      continue
    }
    wrong = (wrong | rebuilt.wrong) as Bitmap
    if ('seed' in rebuilt) seeds.set(dealer, rebuilt.seed)
    else disproofs.push({ dealer, shares: rebuilt.shares })
  }
  if (lacks !== null && disproofs.length === 0) throw lacks
  return { seeds, wrong, disproofs }
}

type OfDealer = { readonly wrong: Bitmap } & ({ readonly seed: Uint8Array } | Pick<Disproof, 'shares'>)

async function rebuildSeed(input: UnmaskInput, dealer: SiteId): Promise<OfDealer | RotaError> {
  const { threshold } = input.round
  const shares = sharesAbout(input, dealer)
  if (shares.length < threshold) return lacking(input, dealer, shares.length, EMPTY)
  const first = await combineRight(input, dealer, shares)
  if (first !== undefined) return { seed: first, wrong: EMPTY }
  const { good, wrong } = await sortOut(input, dealer, shares)
  if (good.length < threshold) return lacking(input, dealer, good.length, wrong)
  const seed = await combineRight(input, dealer, good)
  return seed === undefined ? { shares: good.slice(0, threshold), wrong } : { seed, wrong }
}

/** Whether what somebody else found is so. */
export async function isDisproved(input: UnmaskInput, { dealer, shares }: Disproof): Promise<boolean> {
  const { round, graph, indexes } = input
  const holders = shares.map(({ holder }) => holder)
  const known = graph.holders(dealer) | bitmapOf(graph.shown(dealer).keys())
  const areHolders = (bitmapOf(holders) & ~known) === 0n && sizeOf(bitmapOf(holders)) === holders.length
  if (!areHolders || shares.length !== round.threshold || !indexes.has(dealer)) return false
  const { good } = await sortOut(input, dealer, shares)
  return good.length === shares.length && (await combineRight(input, dealer, good)) === undefined
}

/** Those that everybody knows come first: they are right. */
function sharesAbout({ graph, survivors, releases }: UnmaskInput, dealer: SiteId): HeldShare[] {
  const kind = kindFor(survivors, dealer)
  const known = [...graph.shown(dealer)].map(([holder, shares]) => ({ holder, share: shares[kind] }))
  const told = sitesOf(graph.holders(dealer)).flatMap((holder) => {
    const release = releases.get(holder)
    const share = release === undefined ? undefined : shareAbout(release, dealer)
    return share === undefined ? [] : [{ holder, share }]
  })
  return [...known, ...told]
}

/** Of the first t shares. Undefined when what they give is not what the dealer committed to. */
async function combineRight(input: UnmaskInput, dealer: SiteId, shares: readonly HeldShare[]): Promise<Uint8Array | undefined> {
  const seed = await input.crypto.combine(shares.slice(0, input.round.threshold).map(({ share }) => share))
  return seed !== undefined && isRight(input, dealer, seed) ? seed : undefined
}

/**
 * By what its dealer said in public. Of its masks with others: it gives the key that was offered, the secrets that those above it were given, and shows those
 * that it hid of survivors below it.
 */
function isRight(input: UnmaskInput, dealer: SiteId, seed: Uint8Array): boolean {
  const { round, graph, survivors, indexes, crypto } = input
  const index = indexes.get(dealer)
  if (index === undefined) return false
  if (kindFor(survivors, dealer) === 'self') return equalBytes(commitSelf(round, dealer, seed, crypto), index.selfCommitment)
  const isTagged = (lower: SiteId, upper: SiteId, secret: Uint8Array | undefined): boolean => {
    const below = indexes.get(lower)
    const tag = below && pairTagOf(below, upper)
    return secret !== undefined && tag !== undefined && equalBytes(pairTag(round, lower, upper, secret, crypto), tag)
  }
  const lowers = sitesOf((graph.neighbours(dealer) & survivors) as Bitmap).filter((site) => site < dealer)
  return (
    equalBytes(maskKeyOf(seed, crypto).publicKey, index.maskKey) &&
    dealtAbove(index).every((upper) => isTagged(dealer, upper, pairSecret(round, dealer, upper, seed, crypto))) &&
    lowers.every((lower) => isTagged(lower, dealer, secretBelow(input, lower, dealer, seed)))
  )
}

/** The secret that a site gave one above it, which dropped out; that one hid it when it keyed. */
export function secretBelow({ round, keyed, crypto }: Pick<UnmaskInput, 'round' | 'keyed' | 'crypto'>, lower: SiteId, upper: SiteId, upperSeed: Uint8Array) {
  const said = keyed.get(upper)
  return said && showPair(round, lower, said, upperSeed, crypto)
}

/** By the dealer's commitments. A share whose parcel cannot be had is not counted, and blames nobody. */
async function sortOut(input: UnmaskInput, dealer: SiteId, shares: readonly HeldShare[]): Promise<{ good: HeldShare[]; wrong: Bitmap }> {
  const kind = kindFor(input.survivors, dealer)
  const good: HeldShare[] = []
  let wrong = EMPTY
  const shown = input.graph.shown(dealer)
  const parcels = await Promise.all(shares.map(({ holder }) => (shown.has(holder) ? undefined : committedParcel(input, dealer, holder))))
  for (const [i, held] of shares.entries()) {
    const known = shown.get(held.holder)
    if (known !== undefined && equalBytes(known[kind], held.share)) good.push(held)
    const parcel = parcels[i]
    if (parcel === undefined) continue
    const said = kind === 'self' ? parcel.selfCommitment : parcel.maskCommitment
    if (equalBytes(commitShare(kind, input.round, dealer, held.holder, held.share, input.crypto), said)) good.push(held)
    else wrong = withSite(wrong, held.holder)
  }
  return { good, wrong }
}

async function committedParcel({ indexes, fetchParcel, parcelDigest }: UnmaskInput, dealer: SiteId, holder: SiteId): Promise<Parcel | undefined> {
  const index = indexes.get(dealer)
  const named = index === undefined ? undefined : parcelOf(index, holder)
  const parcel = named === undefined ? undefined : await fetchParcel(dealer, holder)
  return parcel !== undefined && named !== undefined && equalBytes(parcelDigest(parcel), named) ? parcel : undefined
}

const lacking = ({ round }: UnmaskInput, site: SiteId, good: number, wrong: Bitmap): RotaError =>
  new RotaError('ROTA-2329', { site, good, threshold: round.threshold, wrong: sitesOf(wrong).join(', ') || 'none' })

/** Whom an answer is still awaited of, so that every seed has its t shares. */
export function awaitedReleases({ round, graph, survivors, releases }: Pick<UnmaskInput, 'round' | 'graph' | 'survivors' | 'releases'>): Bitmap {
  const late = (holders: Bitmap): readonly SiteId[] => sitesOf(holders).filter((holder) => !releases.has(holder))
  const ofDealers = dealersOf(graph, survivors).map((dealer) => ({ holders: graph.holders(dealer), shown: graph.shown(dealer).size }))
  const isShort = ofDealers.some(({ holders, shown }) => holders !== EMPTY && sizeOf(holders) + shown - late(holders).length < round.threshold)
  return isShort ? bitmapOf(late(ofDealers.reduce((all, { holders }) => (all | holders) as Bitmap, EMPTY))) : EMPTY
}
