import { has } from '#base/bitmap.ts'
import { equalBytes } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { decodeParcel } from '#wire/masking/parcel.ts'
import { asDigest } from '../digest.ts'
import { shareCommitmentOf } from './mask-keys.ts'
import { type Blame, knownShare, type MaskEvidence, sharesAbout, valueAbout, wrongShare } from './seeds.ts'

/**
 * Of shares that do not make their dealer's seed, says which are wrong: each parcel names its shares by a hash, outside of what is sealed.
 * @param fetch a dealer's parcel for a holder by what its index names it; null when the stores have it no longer, and then only the sites among which the culprit is can be named
 * @returns a sentence for each finding
 */
export async function settleDoubts(evidence: MaskEvidence, dealers: readonly SiteId[], fetch: FetchParcel): Promise<string[]> {
  const said: string[] = []
  for (const dealer of dealers) {
    const shares = sharesAbout(evidence, dealer)
    const verdicts = await Promise.all(shares.map(async ({ holder, share }) => isAsDealt(evidence, dealer, holder, share, fetch)))
    const wrong = shares.filter((_, i) => verdicts[i] === false)
    said.push(...wrong.map(({ holder }) => wrongShare(holder, dealer).message))
    const unknown = shares.filter((_, i) => verdicts[i] === null).map(({ holder }) => holder)
    if (wrong.length > 0) continue
    if (unknown.length === 0) said.push(`site ${dealer} dealt shares of another secret than it committed to`)
    else said.push(`a share of the mask of site ${dealer} is wrong, one of those that sites ${unknown.join(', ')} released, or they were dealt so`)
  }
  return said
}

/** A share that does not lie where the others do may have been dealt so. @returns a sentence for each */
export async function settleBlame(evidence: MaskEvidence, blamed: readonly Blame[], fetch: FetchParcel): Promise<string[]> {
  return Promise.all(
    blamed.map(async ({ site, message, shown }) => {
      const isDealt = shown === undefined ? false : await isAsDealt(evidence, shown.dealer, site, shown.share, fetch)
      if (isDealt === null) return `${message}, or it was dealt that`
      return isDealt && shown ? `site ${shown.dealer} dealt site ${site} a share of another secret than the others` : message
    }),
  )
}

export type FetchParcel = (named: Digest, dealer: SiteId, holder: SiteId) => Promise<Uint8Array | null>

/** Null when its parcel is gone. */
export async function isAsDealt(evidence: MaskEvidence, dealer: SiteId, holder: SiteId, share: Uint8Array, fetch: FetchParcel): Promise<boolean | null> {
  const { round, indexes, survivors } = evidence
  const known = knownShare(evidence, dealer, holder)
  if (known !== undefined) return equalBytes(known, share)
  const index = indexes.get(dealer)
  const named = index && valueAbout(index.to, index.parcels, holder)
  const bytes = named ? await fetch(asDigest(named), dealer, holder) : null
  if (bytes === null) return null
  const kind = has(survivors, dealer) ? 'self' : 'mask'
  try {
    const parcel = decodeParcel(bytes)
    return equalBytes(shareCommitmentOf(kind, round, dealer, holder, share), kind === 'self' ? parcel.selfCommitment : parcel.maskCommitment)
  } catch (error) {
    if (isRotaError(error)) return null
    throw error
  }
}
