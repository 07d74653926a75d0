import { has, sizeOf } from '#base/bitmap.ts'
import { concat } from '#base/bytes.ts'
import { siteId } from '#base/ids.ts'
import type { DealIndex } from '#core/masking/deal.ts'
import { toCbor } from '../cbor.ts'
import { above, isBytes, isSite, itemsOf, listOf, MASKING_VERSION, malformed, setBytes, setOf } from './parts.ts'

/**
 * What a dealer says to all members.
 *
 *   [ version=2, context (32), dealer, to (32, big endian), H(self seed) (32), mask key (32), parcels' SHA-256 (32 each), pair tags (32 each) ]     dag-cbor array
 */
const WHAT = 'deal index'
/** 256 sites take 16 kB. */
export const DEAL_INDEX_LIMIT_BYTES = 20_480

export const encodeDealIndex = (i: DealIndex): Uint8Array =>
  toCbor([MASKING_VERSION, i.ctx, i.dealer, setBytes(i.to), i.selfCommitment, i.maskKey, concat(...i.parcels), concat(...i.pairTags)])

/** @throws as `itemsOf` */
export function decodeDealIndex(bytes: Uint8Array): DealIndex {
  const [, ctx, dealer, to, selfCommitment, maskKey, parcels, pairTags] = itemsOf(bytes, WHAT, DEAL_INDEX_LIMIT_BYTES, 8)
  if (!isBytes(ctx, 32) || !isSite(dealer) || !isBytes(to, 32) || !isBytes(selfCommitment, 32) || !isBytes(maskKey, 32)) throw malformed(WHAT)
  const set = setOf(to)
  const parcelList = listOf(parcels, 32, sizeOf(set))
  const tagList = listOf(pairTags, 32, above(set, dealer))
  if (!has(set, siteId(dealer)) || parcelList === undefined || tagList === undefined) throw malformed(WHAT)
  return { ctx, dealer: siteId(dealer), to: set, selfCommitment, maskKey, parcels: parcelList, pairTags: tagList }
}
