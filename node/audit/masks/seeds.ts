import { has, sitesOf } from '#base/bitmap.ts'
import { equalBytes } from '#base/bytes.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { decodeDealIndex } from '#wire/masking/deal-index.ts'
import type { decodeRelease } from '#wire/masking/release.ts'
import { exchangeKey, pairSecretOf, pairTagOf, selfCommitmentOf, unhide } from './mask-keys.ts'
import { heldBy, type KeyedEvent, type MaskLinks, type MaskRound } from './mask-round.ts'
import { fits, type Share, secretOf } from './shares.ts'

export type DealIndex = ReturnType<typeof decodeDealIndex>
export type Release = ReturnType<typeof decodeRelease>['release']

/** All that is known of a round's masks. What stands here was held against the chain before. */
export interface MaskEvidence extends MaskLinks {
  readonly round: MaskRound
  /** What each site keyed with. */
  readonly keyed: ReadonlyMap<SiteId, KeyedEvent>
  /** The frozen set. */
  readonly survivors: Bitmap
  /** By dealer. */
  readonly indexes: ReadonlyMap<SiteId, DealIndex>
  /** By sender. */
  readonly releases: ReadonlyMap<SiteId, Release>
  /** What each attester says that it rebuilt, by who says it. */
  readonly told: ReadonlyMap<SiteId, Told>
}

export interface Told {
  readonly seeds: ReadonlyMap<SiteId, Uint8Array>
}

/** Who did something that does not hold. */
export interface Blame {
  readonly site: SiteId
  readonly message: string
  /** A share that it showed, and whose. */
  readonly shown?: { readonly dealer: SiteId; readonly share: Share }
}

export interface SeedFinding {
  /** Of the site's own mask when it stayed in, else of its masks with others; null when it cannot be rebuilt. */
  readonly seed: Uint8Array | null
  /** Why there is no seed. */
  readonly why: string
  /** Shares that do not lie where the others do, and seeds told otherwise than dealt. */
  readonly wrong: readonly Blame[]
  /** Enough shares are there, and do not make the seed: one of them at least is wrong, or all were dealt so. */
  readonly isDoubted: boolean
  /** What its dealer promised is gone, and these attesters say the same of it; that the model follows from the sum then speaks for them. */
  readonly onWordOf: readonly SiteId[]
}

export interface Held {
  readonly holder: SiteId
  readonly share: Share
}

/** Whose shares are wanted: who stayed in, and who left after somebody who stayed in had masked with it. */
export function dealersOf({ edges, survivors }: Pick<MaskEvidence, 'edges' | 'survivors'>): SiteId[] {
  const left = [...edges].filter(([site, partners]) => !has(survivors, site) && [...partners].some((partner) => has(survivors, partner)))
  return [...new Set([...sitesOf(survivors), ...left.map(([site]) => site)])].sort((a, b) => a - b)
}

/** Whose shares of this site's secrets are somebody's to show, or known to all. */
export const holdersOf = ({ holders, shownBefore }: Pick<MaskEvidence, 'holders' | 'shownBefore'>, dealer: SiteId): SiteId[] =>
  [...(holders.get(dealer) ?? []), ...(shownBefore.get(dealer)?.keys() ?? [])].sort((a, b) => a - b)

/** What its dealer itself showed for a holder. */
export const knownShare = ({ shownBefore, survivors }: Pick<MaskEvidence, 'shownBefore' | 'survivors'>, dealer: SiteId, holder: SiteId): Share | undefined =>
  shownBefore.get(dealer)?.get(holder)?.[has(survivors, dealer) ? 'self' : 'mask']

/**
 * A seed of which the dealer's deal says what it must be: rebuilt from shares or, when too few are there, as an attester tells it. Once it is rebuilt, all
 * other shares are held against the same curve, and what was told against it: whoever shows another than it was dealt is known without the dealer's word.
 */
export function findSeed(evidence: MaskEvidence, dealer: SiteId): SeedFinding {
  const index = evidence.indexes.get(dealer)
  const told = [...evidence.told].flatMap(([site, { seeds }]) => {
    const seed = seeds.get(dealer)
    return seed === undefined ? [] : [{ site, seed }]
  })
  if (index === undefined) return onWord(dealer, told)
  const right = (seed: Uint8Array): boolean => isRight(evidence, dealer, index, seed)
  const rebuilt = rebuild(evidence, dealer, right)
  const wrong = told.filter((one) => !right(one.seed)).map(({ site }) => ({ site, message: `site ${site} tells a wrong seed of the mask of site ${dealer}` }))
  const seed = rebuilt.seed ?? told.find((one) => right(one.seed))?.seed ?? null
  return { ...rebuilt, seed, wrong: [...rebuilt.wrong, ...wrong] }
}

function onWord(dealer: SiteId, told: readonly { readonly site: SiteId; readonly seed: Uint8Array }[]): SeedFinding {
  const none = { wrong: [], isDoubted: false, onWordOf: [] }
  const [first, ...others] = told
  if (first === undefined) return { ...none, seed: null, why: `the deal of site ${dealer} is not in the stores` }
  if (others.some(({ seed }) => !equalBytes(seed, first.seed)))
    return { ...none, seed: null, why: `the deal of site ${dealer} is not in the stores, and attesters tell different seeds of its mask` }
  return { ...none, seed: first.seed, why: '', onWordOf: told.map(({ site }) => site) }
}

function rebuild(evidence: MaskEvidence, dealer: SiteId, right: (seed: Uint8Array) => boolean): SeedFinding {
  const { threshold } = evidence.round
  const none = (why: string, isDoubted: boolean): SeedFinding => ({ seed: null, why, wrong: [], isDoubted, onWordOf: [] })
  const shares = sharesAbout(evidence, dealer)
  if (shares.length < threshold) return none(`${shares.length} of the ${threshold} shares that rebuild the mask of site ${dealer} are in the stores`, false)
  const basis = someThatFit(shares, threshold, right)
  if (basis === null) return none(`the shares of the mask of site ${dealer} do not rebuild what its deal commits to`, true)
  const curve = basis.map(({ share }) => share)
  const wrong = shares.filter((held) => !basis.includes(held) && !fits(curve, held.share))
  return {
    seed: secretOf(curve),
    why: '',
    wrong: wrong.map(({ holder, share }) => ({ ...wrongShare(holder, dealer), shown: { dealer, share } })),
    isDoubted: false,
    onWordOf: [],
  }
}

export const wrongShare = (holder: SiteId, dealer: SiteId): Blame => ({
  site: holder,
  message: `site ${holder} released a wrong share of the mask of site ${dealer}`,
})

export function sharesAbout(evidence: MaskEvidence, dealer: SiteId): Held[] {
  return holdersOf(evidence, dealer).flatMap((holder) => {
    const release = evidence.releases.get(holder)
    const share = knownShare(evidence, dealer, holder) ?? (release && valueAbout(release.about, release.shares, dealer))
    return share ? [{ holder, share }] : []
  })
}

/** Values stand in the order of the set's sites. */
export const valueAbout = (set: Bitmap, values: readonly Uint8Array[], site: SiteId): Uint8Array | undefined =>
  has(set, site) ? values[sitesOf(set).indexOf(site)] : undefined

/** By the promise that the dealer made before anybody masked. */
export function isRight(evidence: MaskEvidence, dealer: SiteId, index: DealIndex, seed: Uint8Array): boolean {
  const { round, survivors } = evidence
  if (has(survivors, dealer)) return equalBytes(selfCommitmentOf(round, dealer, seed), index.selfCommitment)
  const makes = (upper: SiteId): boolean => isTagged(evidence, dealer, upper, pairSecretOf(round, dealer, upper, seed))
  const below = lowersOf(evidence, dealer).filter((lower) => evidence.indexes.has(lower))
  const shows = (lower: SiteId): boolean => isTagged(evidence, lower, dealer, hiddenSecret(evidence, lower, dealer, seed))
  return equalBytes(exchangeKey(seed).publicKey, index.maskKey) && dealtAbove(index).every(makes) && below.every(shows)
}

/** Of a site that dropped out: those below it in the set, with whom it shares masks. */
export const lowersOf = ({ edges, survivors }: Pick<MaskEvidence, 'edges' | 'survivors'>, dealer: SiteId): SiteId[] =>
  [...(edges.get(dealer) ?? [])].filter((lower) => lower < dealer && has(survivors, lower))

/** The secret that the lower gave the upper, as that one hid it when it keyed. */
export function hiddenSecret(
  { round, keyed }: Pick<MaskEvidence, 'round' | 'keyed'>,
  lower: SiteId,
  upper: SiteId,
  upperSeed: Uint8Array,
): Uint8Array | undefined {
  const said = keyed.get(upper)
  const hidden = said && heldBy(said).get(lower)?.hidden
  return hidden ? unhide(round, lower, upper, upperSeed, hidden) : undefined
}

function isTagged({ round, indexes }: MaskEvidence, lower: SiteId, upper: SiteId, secret: Uint8Array | undefined): boolean {
  const index = indexes.get(lower)
  const tag = index?.pairTags[dealtAbove(index).indexOf(upper)]
  return secret !== undefined && tag !== undefined && equalBytes(pairTagOf(round, lower, upper, secret), tag)
}

/** In whose order a deal has tags of pairs. */
const dealtAbove = ({ to, dealer }: DealIndex): SiteId[] => sitesOf(to).filter((site) => site > dealer)

/** Of five shares with one wrong one in five choices is right, of 100 with four wrong one in a hundred. */
const MOST_CHOICES = 600

/** As many as the threshold that give the right seed: the first, or, when one of those is wrong, others by turns. */
function someThatFit(shares: readonly Held[], threshold: number, right: (seed: Uint8Array) => boolean): readonly Held[] | null {
  let mixed = 1
  for (let choice = 0; choice < MOST_CHOICES; choice++) {
    const rest = [...shares]
    while (rest.length > threshold) {
      // A fixed sequence (Park and Miller 1988), so that each audit says the same.
      mixed = (mixed * 48_271) % 2_147_483_647
      rest.splice(choice === 0 ? rest.length - 1 : mixed % rest.length, 1)
    }
    const seed = secretOf(rest.map(({ share }) => share))
    if (seed !== null && right(seed)) return rest
    if (shares.length === threshold) return null
  }
  return null
}
