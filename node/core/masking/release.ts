import { bitmapOf, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { ShareKind } from './commitments.ts'
import type { MaskingRound } from './context.ts'
import { SHARE_BYTES } from './crypto.ts'
import { heldBy, type MaskGraph } from './graph.ts'
import type { OpenedDeal } from './open-deal.ts'

/** What a site that keyed in shows about whom, be its update in the sum or not. */
export interface ToRelease {
  /** Survivors: its share of their self-mask. */
  readonly self: Bitmap
  /** Sites that keyed in and are not in the frozen set: its share of their mask seed. */
  readonly mask: Bitmap
}

/** Which share may be shown about a site: there is one answer for one frozen set, so never both kinds. */
export const kindFor = (survivors: Bitmap, about: SiteId): ShareKind => (has(survivors, about) ? 'self' : 'mask')

/**
 * Follows from the graph and the frozen set alone. Before a site sends it, it writes into its journal which frozen set it is about, and never
 * answers about another one of the same run and base model.
 * @param survivors the frozen set, final
 */
export function toRelease(graph: MaskGraph, survivors: Bitmap, site: SiteId): ToRelease {
  const known = heldBy(graph, site)
  return { self: (known & survivors) as Bitmap, mask: (known & ~survivors) as Bitmap }
}

/** In a message that the site's node signs. */
export interface Release {
  readonly ctx: Uint8Array
  readonly survivors: Bitmap
  /** Whom the shares are about; of which kind they are follows from `survivors`. */
  readonly about: Bitmap
  /** In the order of `about`. */
  readonly shares: readonly Uint8Array[]
}

/** @param opened the deals that the site holds; those that it lost are left out */
export function makeRelease(
  round: MaskingRound,
  graph: MaskGraph,
  survivors: Bitmap,
  { site, opened }: { readonly site: SiteId; readonly opened: ReadonlyMap<SiteId, OpenedDeal> },
): Release {
  const { self, mask } = toRelease(graph, survivors, site)
  const about = sitesOf((self | mask) as Bitmap).filter((dealer) => opened.has(dealer))
  return {
    ctx: round.modelCtx,
    survivors,
    about: bitmapOf(about),
    shares: about.map((dealer) => (opened.get(dealer) as OpenedDeal).shares[kindFor(survivors, dealer)]),
  }
}

/**
 * @param from who signed it
 * @param isUnmasked whether the sum was unmasked already
 * @throws ROTA-2322 late, ROTA-2323 of another round or frozen set, ROTA-2321 about somebody whom it does not concern
 */
export function checkRelease(release: Release, round: MaskingRound, graph: MaskGraph, survivors: Bitmap, from: SiteId, isUnmasked = false): void {
  if (!equalBytes(release.ctx, round.modelCtx) || release.survivors !== survivors) throw new RotaError('ROTA-2323', { what: 'shares', site: from })
  if (isUnmasked) throw new RotaError('ROTA-2322', { site: from, round: round.round })
  const { self, mask } = toRelease(graph, survivors, from)
  const isWhole = release.shares.length === sizeOf(release.about)
  const isSized = release.shares.every(({ length }) => length === SHARE_BYTES)
  if ((release.about & ~(self | mask)) !== 0n) throw new RotaError('ROTA-2321', { site: from, reason: 'it tells of a site that shares no mask with it' })
  if (!isWhole || !isSized) throw new RotaError('ROTA-2321', { site: from, reason: 'a share is missing or of another length' })
}

/** The share that a release has about a site; undefined when it has none. */
export const shareAbout = ({ about, shares }: Release, dealer: SiteId): Uint8Array | undefined =>
  has(about, dealer) ? shares[sitesOf(about).indexOf(dealer)] : undefined
