import { has, sitesOf } from '#base/bitmap.ts'
import { concat } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import { type Advertisement, advertisementOf } from './advertisement.ts'
import { commitSelf, commitShare, pairTag, type ShareKind } from './commitments.ts'
import { type DealingRound, labelled } from './context.ts'
import type { MaskingCrypto } from './crypto.ts'
import type { ShownShares } from './graph.ts'
import { pairSecret } from './pair-key.ts'
import type { RoundKeys } from './round-keys.ts'

/** What a dealer says to all. The chain names the file that it is in when its site keys. */
export interface DealIndex {
  readonly ctx: Uint8Array
  readonly dealer: SiteId
  /** Whom it has parcels for: all members. */
  readonly to: Bitmap
  /** See `commitSelf`. */
  readonly selfCommitment: Uint8Array
  /** The key that it offered: a rebuilt mask seed must give this one. */
  readonly maskKey: Uint8Array
  /** Digest of each parcel, in the order of `to`. */
  readonly parcels: readonly Uint8Array[]
  /** Of the pair secrets, for those of `to` above the dealer, in their order; see `pairTag`. */
  readonly pairTags: readonly Uint8Array[]
}

/**
 * For one holder. What is outside the seal binds the dealer to its shares, for the day when somebody sends a wrong one, or its dealer has to show them (`maskGraph`): so there is
 * one also for whoever offered no keys, with nothing sealed.
 */
export interface Parcel {
  /** ML-KEM-768, to the holder's channel key; empty where that is not known. */
  readonly kemText: Uint8Array
  /** See `commitShare`. */
  readonly maskCommitment: Uint8Array
  readonly selfCommitment: Uint8Array
  /** Mask share ‖ self share ‖ pair secret (when the holder is above the dealer), AES-256-GCM; empty with the text. */
  readonly sealed: Uint8Array
}

/** Of the parcel as it is stored and sent: wire knows how. */
export type ParcelDigest = (parcel: Parcel) => Uint8Array

export interface Deal {
  readonly index: DealIndex
  readonly parcels: ReadonlyMap<SiteId, Parcel>
  /** By holder: the dealer's to keep. */
  readonly shares: ShownShares
}

type DealtShares = Readonly<Record<ShareKind, Uint8Array>>

export interface DealInput {
  readonly round: DealingRound
  readonly site: SiteId
  readonly keys: RoundKeys
  /** Those that `checkAdvertisement` let pass. */
  readonly offers: ReadonlyMap<SiteId, Advertisement>
  readonly parcelDigest: ParcelDigest
  readonly crypto: MaskingCrypto
}

/**
 * A site's secrets in shares, one parcel for each member. Shares are drawn afresh in each call: store what was made before it is
 * sent, so that a restart sends the same.
 * @throws ROTA-2328 when too few members offered keys, ROTA-2325 or ROTA-2326 when one of the keys is bad
 */
export async function makeDeal(input: DealInput): Promise<Deal> {
  const { round, site, keys, crypto } = input
  const offers = new Map([...input.offers, [site, advertisementOf(keys)]])
  const holders = sitesOf(round.members)
  const offered = holders.filter((member) => offers.has(member)).length
  if (offered < round.threshold || !has(round.members, site))
    throw new RotaError('ROTA-2328', { site, neighbours: offered - 1, threshold: round.threshold - 1 })
  const maskShares = await crypto.split(keys.seeds.mask, holders.length, round.threshold)
  const selfShares = await crypto.split(keys.seeds.self, holders.length, round.threshold)
  const shares = new Map(holders.map((holder, i) => [holder, { mask: maskShares[i] as Uint8Array, self: selfShares[i] as Uint8Array }]))
  const parcels = new Map([...shares].map(([holder, own]) => [holder, makeParcel(input, holder, offers.get(holder), own)]))
  const above = holders.filter((holder) => holder > site)
  const index: DealIndex = {
    ctx: round.ctx,
    dealer: site,
    to: round.members,
    selfCommitment: commitSelf(round, site, keys.seeds.self, crypto),
    maskKey: keys.mask.publicKey,
    parcels: [...parcels.values()].map(input.parcelDigest),
    pairTags: above.map((upper) => pairTag(round, site, upper, pairSecret(round, site, upper, keys.seeds.mask, crypto), crypto)),
  }
  return { index, parcels, shares }
}

function makeParcel(input: DealInput, holder: SiteId, offer: Advertisement | undefined, { mask, self }: DealtShares): Parcel {
  const { round, site, crypto } = input
  return {
    ...(offer === undefined ? UNSEALED : sealed(input, holder, offer, concat(mask, self))),
    maskCommitment: commitShare('mask', round, site, holder, mask, crypto),
    selfCommitment: commitShare('self', round, site, holder, self, crypto),
  }
}

const UNSEALED = { kemText: new Uint8Array(0), sealed: new Uint8Array(0) }

function sealed(input: DealInput, holder: SiteId, offer: Advertisement, shares: Uint8Array): Pick<Parcel, 'kemText' | 'sealed'> {
  const { round, site, keys, crypto } = input
  const encapsulated = crypto.encapsulate(offer.channelKem)
  if (encapsulated === undefined) throw new RotaError('ROTA-2326', { site: holder, what: 'key' })
  const agreed = keys.channel.agree(offer.channelKey)
  if (agreed === undefined) throw new RotaError('ROTA-2325', { site: holder })
  const key = parcelKey(round, { dealer: site, holder }, keys.channel.publicKey, offer.channelKey, concat(agreed, encapsulated.secret), crypto)
  const secret = site < holder ? pairSecret(round, site, holder, keys.seeds.mask, crypto) : new Uint8Array(0)
  return { kemText: encapsulated.text, sealed: crypto.seal(key, concat(shares, secret)) }
}

/** One key a parcel: the ML-KEM secret is new each time. */
export const parcelKey = (
  { ctx }: DealingRound,
  { dealer, holder }: { readonly dealer: SiteId; readonly holder: SiteId },
  dealerKey: Uint8Array,
  holderKey: Uint8Array,
  secrets: Uint8Array,
  { hkdf }: MaskingCrypto,
): Uint8Array => hkdf(secrets, ctx, concat(labelled('parcel', dealer, holder), dealerKey, holderKey), 32)

/** The digest that the index names for a holder's parcel; undefined when it has none. */
export const parcelOf = ({ to, parcels }: DealIndex, holder: SiteId): Uint8Array | undefined =>
  has(to, holder) ? parcels[sitesOf(to).indexOf(holder)] : undefined

/** The tag of the secret of the dealer and a site above it; undefined when it has none. */
export const pairTagOf = (index: DealIndex, upper: SiteId): Uint8Array | undefined => index.pairTags[dealtAbove(index).indexOf(upper)]

/** In whose order tags of pairs are. */
export const dealtAbove = ({ to, dealer }: Pick<DealIndex, 'to' | 'dealer'>): readonly SiteId[] => sitesOf(to).filter((site) => site > dealer)
