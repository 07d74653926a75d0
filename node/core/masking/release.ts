import { bitmapOf, EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { ShareKind } from './commitments.ts'
import type { MaskingRound } from './context.ts'
import { SEED_BYTES, SHARE_BYTES } from './crypto.ts'
import type { MaskGraph } from './graph.ts'
import type { OpenedDeal } from './open-deal.ts'

/** What a site that keyed in shows about whom, be its update in the sum or not. */
export interface ToRelease {
  /** Survivors: its share of their self-mask. */
  readonly self: Bitmap
  /** Sites that keyed in and are not in the frozen set: its share of their mask seed. */
  readonly mask: Bitmap
  /** Of the latter, those above it: the secret of the pair, in case their key record hides a wrong one. */
  readonly pairs: Bitmap
}

/** Which share may be shown about a site: there is one answer for one frozen set, so never both kinds. */
export const kindFor = (survivors: Bitmap, about: SiteId): ShareKind => (has(survivors, about) ? 'self' : 'mask')

/**
 * Follows from the graph and the frozen set alone. Before a site sends it, it writes into its journal which frozen set it is about, and never
 * answers about another one of the same run and base model.
 * @param survivors the frozen set, final
 */
export function toRelease(graph: MaskGraph, survivors: Bitmap, site: SiteId): ToRelease {
  if (!has(graph.sites, site)) return { self: EMPTY, mask: EMPTY, pairs: EMPTY }
  const known = (graph.neighbours(site) | bitmapOf([site])) as Bitmap
  const mask = (known & ~survivors) as Bitmap
  return { self: (known & survivors) as Bitmap, mask, pairs: has(survivors, site) ? bitmapOf(sitesOf(mask).filter((dropped) => dropped > site)) : EMPTY }
}

/** In a message that the site's node signs. */
export interface Release {
  readonly ctx: Uint8Array
  readonly survivors: Bitmap
  /** Whom the shares are about; of which kind they are follows from `survivors`. */
  readonly about: Bitmap
  /** In the order of `about`. */
  readonly shares: readonly Uint8Array[]
  readonly pairs: Bitmap
  /** In the order of `pairs`. */
  readonly pairSecrets: readonly Uint8Array[]
}

/** @param opened the deals that the site holds; those that it lost are left out */
export function makeRelease(
  round: MaskingRound,
  graph: MaskGraph,
  survivors: Bitmap,
  { site, opened }: { readonly site: SiteId; readonly opened: ReadonlyMap<SiteId, OpenedDeal> },
): Release {
  const { self, mask, pairs } = toRelease(graph, survivors, site)
  const about = sitesOf((self | mask) as Bitmap).filter((dealer) => opened.has(dealer))
  const withSecret = sitesOf(pairs).filter((dealer) => opened.has(dealer))
  return {
    ctx: round.modelCtx,
    survivors,
    about: bitmapOf(about),
    shares: about.map((dealer) => (opened.get(dealer) as OpenedDeal).shares[kindFor(survivors, dealer)]),
    pairs: bitmapOf(withSecret),
    pairSecrets: withSecret.map((dealer) => (opened.get(dealer) as OpenedDeal).pairSecret as Uint8Array),
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
  const { self, mask, pairs } = toRelease(graph, survivors, from)
  const isStrange = (release.about & ~(self | mask)) !== 0n || (release.pairs & ~pairs) !== 0n
  const isWhole = release.shares.length === sizeOf(release.about) && release.pairSecrets.length === sizeOf(release.pairs)
  const isSized = release.shares.every(({ length }) => length === SHARE_BYTES) && release.pairSecrets.every(({ length }) => length === SEED_BYTES)
  if (isStrange) throw new RotaError('ROTA-2321', { site: from, reason: 'it tells of a site that shares no mask with it' })
  if (!isWhole || !isSized) throw new RotaError('ROTA-2321', { site: from, reason: 'a share is missing or of another length' })
}

/** The share that a release has about a site; undefined when it has none. */
export const shareAbout = ({ about, shares }: Release, dealer: SiteId): Uint8Array | undefined => placed(about, shares, dealer)

/** The pair secret that a release has for a site; undefined when it has none. */
export const pairSecretFor = ({ pairs, pairSecrets }: Release, upper: SiteId): Uint8Array | undefined => placed(pairs, pairSecrets, upper)

const placed = (set: Bitmap, values: readonly Uint8Array[], site: SiteId): Uint8Array | undefined =>
  has(set, site) ? values[sitesOf(set).indexOf(site)] : undefined
