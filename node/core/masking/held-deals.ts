import { sitesOf } from '#base/bitmap.ts'
import { concat, fromHex, type Sha256, toHex } from '#base/bytes.ts'
import type { Bitmap, Digest, SiteId } from '#base/ids.ts'
import type { DealingRound } from './context.ts'
import { type MaskingCrypto, SEED_BYTES } from './crypto.ts'
import { pairPad, xor } from './pair-key.ts'

/** What a site keys with, as the chain has it. */
export interface KeyedSite {
  readonly site: SiteId
  /** Root and CID of its deal file. */
  readonly dealDigest: Digest
  readonly dealCid: Digest
  readonly holds: Bitmap
  /**
   * Hex. Of each deal that it holds, in the order of `holds`, the name (20 bytes), and of a dealer below it the secret of the two, hidden under its own mask
   * seed (`pairPad`, 32 bytes): should it drop out, nobody's word is needed for that, and nobody can say that it was not told.
   */
  readonly heldDeals: string
}

export interface HeldName {
  readonly name: string
  /** Of a dealer below the site. */
  readonly hidden: string | null
}

/** To make two deals of one name takes 2^80 tries. */
export const NAME_BYTES = 20
export const HIDDEN_BYTES = SEED_BYTES

/** Hex. Both: whoever holds the deal can then be asked for the object that the chain names. */
export const nameOfDeal = ({ dealDigest, dealCid }: Pick<KeyedSite, 'dealDigest' | 'dealCid'>, sha256: Sha256): string =>
  toHex(sha256(concat(fromHex(dealDigest), fromHex(dealCid))).slice(0, NAME_BYTES)).slice(2)

export const heldDealsOf = (holds: Bitmap, of: (dealer: SiteId) => HeldName): string =>
  `0x${sitesOf(holds)
    .map(of)
    .map(({ name, hidden }) => name + (hidden ?? ''))
    .join('')}`

/** By dealer. */
export function heldIn({ site, holds, heldDeals }: Pick<KeyedSite, 'site' | 'holds' | 'heldDeals'>): ReadonlyMap<SiteId, HeldName> {
  let at = 2
  const take = (bytes: number): string => heldDeals.slice(at, (at += 2 * bytes))
  return new Map(sitesOf(holds).map((dealer) => [dealer, { name: take(NAME_BYTES), hidden: dealer < site ? take(HIDDEN_BYTES) : null }]))
}

/** @param secret of the two; hex */
export const hidePair = (round: DealingRound, lower: SiteId, upper: SiteId, secret: Uint8Array, upperSeed: Uint8Array, crypto: MaskingCrypto): string =>
  toHex(xor(secret, pairPad(round, lower, upper, upperSeed, crypto))).slice(2)

/** The secret of the two, with the mask seed of the upper; undefined where it hid none. */
export function showPair(round: DealingRound, lower: SiteId, upper: KeyedSite, upperSeed: Uint8Array, crypto: MaskingCrypto): Uint8Array | undefined {
  const hidden = heldIn(upper).get(lower)?.hidden ?? ''
  return hidden.length === 2 * HIDDEN_BYTES ? xor(fromHex(`0x${hidden}`), pairPad(round, lower, upper.site, upperSeed, crypto)) : undefined
}
