import { concat, equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Advertisement } from './advertisement.ts'
import { commitShare, pairTag, type ShareKind } from './commitments.ts'
import type { DealingRound } from './context.ts'
import { type MaskingCrypto, SEED_BYTES, SHARE_BYTES } from './crypto.ts'
import { type DealIndex, type Parcel, type ParcelDigest, pairTagOf, parcelKey, parcelOf } from './deal.ts'
import { pairSecret } from './pair-key.ts'
import type { RoundKeys } from './round-keys.ts'

/** What a site has of one dealer. All of it is derived again from the site's seeds and the dealer's parcel. */
export interface OpenedDeal {
  readonly dealer: SiteId
  readonly shares: Readonly<Record<ShareKind, Uint8Array>>
  /** See `pairSecret`; null in a site's own deal. */
  readonly pairSecret: Uint8Array | null
  /** X25519 of their mask keys: with the secret it makes the key of the mask between the two, see `pairKey`; null in a site's own deal. */
  readonly agreed: Uint8Array | null
}

export interface OpenInput {
  readonly round: DealingRound
  readonly site: SiteId
  readonly keys: RoundKeys
  /** The dealer's. */
  readonly offer: Advertisement
  readonly index: DealIndex
  readonly parcel: Parcel
  readonly parcelDigest: ParcelDigest
  readonly crypto: MaskingCrypto
}

/**
 * Checks a deal as far as its receiver can, before it names it as held: a dealer that fails here is only not masked with.
 * @throws ROTA-2323 of another round, ROTA-2325 and ROTA-2326 bad key or ciphertext, ROTA-2321 anything else; each names the dealer
 */
export function openDeal(input: OpenInput): OpenedDeal {
  const { round, site, keys, index, offer, parcel, crypto } = input
  const { dealer } = index
  checkIndex(input)
  if (parcel.sealed.length === 0) throw fails(dealer, 'its deal has nothing for this site')
  const secret = keys.channelKem.decapsulate(parcel.kemText)
  if (secret === undefined) throw new RotaError('ROTA-2326', { site: dealer, what: 'ciphertext' })
  const agreed = keys.channel.agree(offer.channelKey)
  const agreedMask = keys.mask.agree(offer.maskKey)
  if (agreed === undefined || agreedMask === undefined) throw new RotaError('ROTA-2325', { site: dealer })
  const key = parcelKey(round, { dealer, holder: site }, offer.channelKey, keys.channel.publicKey, concat(agreed, secret), crypto)
  const plain = crypto.open(key, parcel.sealed)
  const hasSecret = dealer < site
  if (plain?.length !== 2 * SHARE_BYTES + (hasSecret ? SEED_BYTES : 0)) throw fails(dealer, 'the parcel does not open')
  const shares = { mask: plain.slice(0, SHARE_BYTES), self: plain.slice(SHARE_BYTES, 2 * SHARE_BYTES) }
  checkShares(input, shares)
  if (dealer === site) return { dealer, shares, pairSecret: null, agreed: null }
  const shared = hasSecret ? plain.slice(2 * SHARE_BYTES) : pairSecret(round, site, dealer, keys.seeds.mask, crypto)
  if (hasSecret && !equalBytes(pairTag(round, dealer, site, shared, crypto), pairTagOf(index, site) ?? NOTHING))
    throw fails(dealer, 'the pair secret is not the one of its tag')
  return { dealer, shares, pairSecret: shared, agreed: agreedMask }
}

function checkIndex({ round, site, index, offer, parcel, parcelDigest }: OpenInput): void {
  const { dealer } = index
  if (!equalBytes(index.ctx, round.ctx)) throw new RotaError('ROTA-2323', { what: 'deal', site: dealer })
  if (index.to !== round.members) throw fails(dealer, 'it does not deal to all that are awaited, or to others')
  if (!equalBytes(index.maskKey, offer.maskKey)) throw fails(dealer, 'its mask key is not the one that it offered')
  if (!equalBytes(parcelDigest(parcel), parcelOf(index, site) ?? NOTHING)) throw fails(dealer, 'the parcel is not the one of its index')
}

function checkShares({ round, site, index: { dealer }, parcel, crypto }: OpenInput, shares: OpenedDeal['shares']): void {
  const areCommitted =
    equalBytes(commitShare('mask', round, dealer, site, shares.mask, crypto), parcel.maskCommitment) &&
    equalBytes(commitShare('self', round, dealer, site, shares.self, crypto), parcel.selfCommitment)
  if (!areCommitted) throw fails(dealer, 'a share is not the one that it is bound to')
}

const NOTHING = new Uint8Array(0)
const fails = (site: SiteId, reason: string): RotaError => new RotaError('ROTA-2321', { site, reason })
