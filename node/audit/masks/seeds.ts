import { has, sitesOf } from '#base/bitmap.ts'
import { equalBytes } from '#base/bytes.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { decodeDealIndex } from '#wire/masking/deal-index.ts'
import type { decodeKeyRecord } from '#wire/masking/key-record.ts'
import type { decodeRelease } from '#wire/masking/release.ts'
import { exchangeKey, pairSecretOf, pairTagOf, selfCommitmentOf } from './mask-keys.ts'
import type { MaskEdges, MaskRound } from './mask-round.ts'
import { fits, type Share, secretOf } from './shares.ts'

export type DealIndex = ReturnType<typeof decodeDealIndex>
export type KeyRecord = ReturnType<typeof decodeKeyRecord>
export type Release = ReturnType<typeof decodeRelease>['release']

/** All that is known of a round's masks. What stands here was held against the chain before. */
export interface MaskEvidence {
  readonly round: MaskRound
  readonly edges: MaskEdges
  /** The frozen set. */
  readonly survivors: Bitmap
  /** By dealer. */
  readonly indexes: ReadonlyMap<SiteId, DealIndex>
  readonly records: ReadonlyMap<SiteId, KeyRecord>
  /** By sender. */
  readonly releases: ReadonlyMap<SiteId, Release>
  /** What each attester says that it rebuilt, by who says it. */
  readonly told: ReadonlyMap<SiteId, Told>
}

export interface Told {
  readonly seeds: ReadonlyMap<SiteId, Uint8Array>
  readonly pairs: readonly { readonly lower: SiteId; readonly upper: SiteId; readonly secret: Uint8Array }[]
}

/** Who did something that does not hold. */
export interface Blame {
  readonly site: SiteId
  readonly message: string
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

/** Who was dealt a share by this site. */
export function holdersOf({ edges }: Pick<MaskEvidence, 'edges'>, dealer: SiteId): SiteId[] {
  return [...new Set([dealer, ...(edges.get(dealer) ?? [])])].sort((a, b) => a - b)
}

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
    wrong: wrong.map(({ holder }) => wrongShare(holder, dealer)),
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
    const share = release && valueAbout(release.about, release.shares, dealer)
    return share ? [{ holder, share }] : []
  })
}

/** Values stand in the order of the set's sites. */
export const valueAbout = (set: Bitmap, values: readonly Uint8Array[], site: SiteId): Uint8Array | undefined =>
  has(set, site) ? values[sitesOf(set).indexOf(site)] : undefined

/** By the promise that the dealer made before anybody masked. */
export function isRight({ round, survivors }: MaskEvidence, dealer: SiteId, index: DealIndex, seed: Uint8Array): boolean {
  if (has(survivors, dealer)) return equalBytes(selfCommitmentOf(round, dealer, seed), index.selfCommitment)
  const above = sitesOf(index.to).filter((upper) => upper > dealer)
  const isTagged = (upper: SiteId, i: number): boolean =>
    equalBytes(pairTagOf(round, dealer, upper, pairSecretOf(round, dealer, upper, seed)), index.pairTags[i] ?? new Uint8Array(0))
  return equalBytes(exchangeKey(seed).publicKey, index.maskKey) && above.every(isTagged)
}

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
