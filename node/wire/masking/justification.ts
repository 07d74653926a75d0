import { sitesOf } from '#base/bitmap.ts'
import { equalBytes, fromHex, toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type SiteId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { commitShare } from '#core/masking/commitments.ts'
import type { DealingRound } from '#core/masking/context.ts'
import { type MaskingCrypto, SHARE_BYTES } from '#core/masking/crypto.ts'
import { parcelOf } from '#core/masking/deal.ts'
import type { ShownShares } from '#core/masking/graph.ts'
import type { KeyedSite } from '#core/masking/held-deals.ts'
import { toCbor } from '../cbor.ts'
import { plainRoot } from '../plain-root.ts'
import { DEAL_FILE_LIMIT_BYTES, type DealFile, decodeDealFile } from './deal-file.ts'
import { decodeParcel, PARCEL_LIMIT_BYTES } from './parcel.ts'
import { isBytes, isSite, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * What a dealer says on chain for those who keyed and do not hold its deal: their shares, with all that it takes to see that these are the ones to which it is bound. So nobody's word
 * is needed for it, nor anybody's store.
 *
 *   [ version=2, "justification", deal file, [ holder, parcel, mask share (33), self share (33) ] each ]     dag-cbor array
 *
 * A parcel that is in the file is empty here.
 */
export interface Justification {
  /** As the chain names it. */
  readonly file: Uint8Array
  readonly shares: readonly ShownShare[]
}

export interface ShownShare {
  readonly holder: SiteId
  /** As it is encoded. */
  readonly parcel: Uint8Array
  readonly mask: Uint8Array
  readonly self: Uint8Array
}

const WHAT = 'justification'
/** Of a hundred sites a third complains at most. */
const LIMIT_BYTES = DEAL_FILE_LIMIT_BYTES + 34 * (PARCEL_LIMIT_BYTES + 128)

export const encodeJustification = ({ file, shares }: Justification): Uint8Array =>
  toCbor([MASKING_VERSION, 'justification', file, shares.map(({ holder, parcel, mask, self }) => [holder, parcel, mask, self])])

/** @throws as `itemsOf` */
export function decodeJustification(bytes: Uint8Array): Justification {
  const [, kind, file, shares] = itemsOf(bytes, WHAT, LIMIT_BYTES, 4)
  if (kind !== 'justification' || !(file instanceof Uint8Array) || !Array.isArray(shares)) throw malformed(WHAT)
  return { file, shares: shares.map(shareIn) }
}

function shareIn(part: unknown): ShownShare {
  const [holder, parcel, mask, self] = Array.isArray(part) ? (part as readonly unknown[]) : []
  if (!isSite(holder) || !(parcel instanceof Uint8Array) || !isBytes(mask, SHARE_BYTES) || !isBytes(self, SHARE_BYTES)) throw malformed(WHAT)
  return { holder: siteId(holder), parcel, mask, self }
}

/** What holds of a justification. */
export interface Justified {
  /** The very deal that its site keyed with. */
  readonly file: Uint8Array
  readonly shares: ShownShares
}

/** @param said hex, as the chain has it 0x where its site had nothing to show @returns null there, where it is none of the deal that its site keyed with, or one share is not the one to which that is bound */
export function readJustification(said: string, round: DealingRound, { site, dealDigest }: KeyedSite, crypto: MaskingCrypto): Justified | null {
  if (said === '0x') return null
  try {
    const { file, shares } = decodeJustification(fromHex(said))
    if (outlineOf(file, crypto.sha256).root !== dealDigest) return null
    const deal = decodeDealFile(file)
    const { ctx, dealer, to } = deal.index
    if (!equalBytes(ctx, round.ctx) || dealer !== site || to !== round.members) return null
    return shares.every((share) => isCommitted(deal, share, round, crypto)) ? { file, shares: new Map(shares.map((share) => [share.holder, share])) } : null
  } catch (error) {
    if (isRotaError(error)) return null
    throw error
  }
}

/** By dealer, of what the chain has of a round. */
export function justifiedIn(
  round: DealingRound,
  keyed: readonly KeyedSite[],
  said: readonly { readonly site: SiteId; readonly justification: string }[],
  crypto: MaskingCrypto,
): ReadonlyMap<SiteId, Justified> {
  const found = said.flatMap((each) => {
    const of = keyed.find(({ site }) => site === each.site)
    const justified = of === undefined ? null : readOnce(each, round, of, crypto)
    return justified === null ? [] : [[each.site, justified] as const]
  })
  return new Map(found)
}

type Said = Parameters<typeof justifiedIn>[2][number]
/** Of many members they are read anew with each that comes: what was found is kept, with what it was held against. */
const read = new WeakMap<Said, { readonly of: KeyedSite; readonly ctx: Uint8Array; readonly found: Justified | null }>()

function readOnce(said: Said, round: DealingRound, of: KeyedSite, crypto: MaskingCrypto): Justified | null {
  const before = read.get(said)
  if (before?.of === of && before.ctx === round.ctx) return before.found
  const found = readJustification(said.justification, round, of, crypto)
  read.set(said, { of, ctx: round.ctx, found })
  return found
}

export const sharesIn = (justified: ReadonlyMap<SiteId, Justified>): ReadonlyMap<SiteId, ShownShares> =>
  new Map([...justified].map(([site, { shares }]) => [site, shares]))

function isCommitted({ index, parcels }: DealFile, { holder, parcel, mask, self }: ShownShare, round: DealingRound, crypto: MaskingCrypto): boolean {
  const together = parcels[sitesOf(index.to).indexOf(holder)]
  const bytes = together ?? parcel
  const named = parcelOf(index, holder)
  const name = together === undefined ? plainRoot(bytes, crypto.sha256) : crypto.sha256(bytes)
  if (named === undefined || !equalBytes(name, named)) return false
  const { maskCommitment, selfCommitment } = decodeParcel(bytes)
  const isBound = (kind: 'mask' | 'self', share: Uint8Array, to: Uint8Array): boolean =>
    equalBytes(commitShare(kind, round, index.dealer, holder, share, crypto), to)
  return isBound('mask', mask, maskCommitment) && isBound('self', self, selfCommitment)
}

export const hexOf = (justification: Justification): string => toHex(encodeJustification(justification))
