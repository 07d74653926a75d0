import { bitmapOf, EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import type { Sha256 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { ShareKind } from './commitments.ts'
import type { DealingRound } from './context.ts'
import { heldIn, type KeyedSite, nameOfDeal } from './held-deals.ts'

/** Who shares a mask with whom. */
export interface Masks {
  /** Who may contribute. */
  readonly sites: Bitmap
  /** Empty for others. */
  readonly neighbours: (site: SiteId) => Bitmap
}

/** Shares of a dealer that everybody knows, by holder; see `maskGraph`. */
export type ShownShares = ReadonlyMap<SiteId, Readonly<Record<ShareKind, Uint8Array>>>

/** Follows from the chain's events alone, so all have the same. */
export interface MaskGraph extends Masks {
  /** Of a site that may contribute: who has shares of its secrets, itself among them. They can show them whether or not they are in the sum, or may be. */
  readonly holders: (site: SiteId) => Bitmap
  /** And the shares of all others that keyed. */
  readonly shown: (site: SiteId) => ShownShares
}

/**
 * Two sites share a mask when each holds the other's deal, the very one that the other keyed with: nobody can take a third one's masks away, a missing edge is
 * only missing. Whoever deals otherwise to some shares no mask with these.
 *
 * A site is in only where all who keyed can show their shares of its secrets: they say that they hold its deal or, where they complain that they do not, it justified
 * itself by showing these shares to all. So a site that chooses its holders is out, and a false complaint keeps nobody out: it shows a share that its author has.
 * Of k that keyed no more than k − t shares may be shown so: whoever needs more is out. Then t − 1 − (k − t) colluding sites have, with those, fewer than t shares of each
 * secret, which are as many as `toleratedOf` promises; and as many may be at fault while t that keyed are not.
 *
 * A site with fewer than t − 1 neighbours is left out, and so on until all have as many (what `thresholdOf` promises would not hold); the one with the fewest
 * goes first, of several the last.
 * @param justified shares of each dealer that were shown so and hold, as `readJustification` finds
 * @see Pedersen 1991, A Threshold Cryptosystem without a Trusted Party, section 4: complaints
 */
export function maskGraph(
  { members, threshold }: Pick<DealingRound, 'members' | 'threshold'>,
  keyed: readonly KeyedSite[],
  sha256: Sha256,
  justified: ReadonlyMap<SiteId, ShownShares> = new Map(),
): MaskGraph {
  const here = keyed.filter(({ site }) => has(members, site))
  const { mutual, holders } = holdingsOf(here, sha256)
  const all = bitmapOf(here.map(({ site }) => site))
  const shown = new Map<SiteId, ShownShares>()
  for (const [site, holding] of holders) {
    const lacking = sitesOf((all & ~holding) as Bitmap)
    const shares = new Map(lacking.flatMap((holder) => shareFor(justified.get(site), holder)))
    if (shares.size === lacking.length && lacking.length <= mostShown(here.length, threshold)) shown.set(site, shares)
  }
  const edges = pruned(new Map([...mutual].filter(([site]) => shown.has(site))), threshold - 1)
  const isIn = (site: SiteId): boolean => edges.has(site)
  return {
    sites: bitmapOf(edges.keys()),
    neighbours: (site) => edges.get(site) ?? EMPTY,
    holders: (site) => (isIn(site) ? (holders.get(site) ?? EMPTY) : EMPTY),
    shown: (site) => (isIn(site) && shown.get(site)) || NONE_SHOWN,
  }
}

const NONE_SHOWN: ShownShares = new Map()

const shareFor = (shares: ShownShares | undefined, holder: SiteId) => {
  const found = shares?.get(holder)
  return found === undefined ? [] : [[holder, found] as const]
}

/** Of one dealer, so that fewer than the threshold are with those who may collude; see `maskGraph`. Never below 0: then nobody can be in anyway. */
export const mostShown = (keyed: number, threshold: number): number => Math.max(0, keyed - threshold)

/** Who keyed and does not hold the deal that the dealer keyed with. */
export function complainersOf(dealer: SiteId, { members }: Pick<DealingRound, 'members'>, keyed: readonly KeyedSite[], sha256: Sha256): Bitmap {
  const here = keyed.filter(({ site }) => has(members, site))
  return (bitmapOf(here.map(({ site }) => site)) & ~(holdingsOf(here, sha256).holders.get(dealer) ?? EMPTY)) as Bitmap
}

interface Held {
  readonly mutual: ReadonlyMap<SiteId, Bitmap>
  readonly holders: ReadonlyMap<SiteId, Bitmap>
}

function holdingsOf(keyed: readonly KeyedSite[], sha256: Sha256): Held {
  const names = new Map(keyed.map((each) => [each.site, nameOfDeal(each, sha256)]))
  const held = new Map(keyed.map((each) => [each.site, heldIn(each)]))
  const all = [...names.keys()]
  const holds = (holder: SiteId, dealer: SiteId): boolean => held.get(holder)?.get(dealer)?.name === names.get(dealer)
  const those = (of: (other: SiteId) => boolean): Bitmap => bitmapOf(all.filter(of))
  return {
    mutual: new Map(all.map((site) => [site, those((other) => other !== site && holds(site, other) && holds(other, site))])),
    holders: new Map(all.map((site) => [site, those((other) => other === site || holds(other, site))])),
  }
}

/** Without those that share masks with too few of the rest. @param needed neighbours that each must have */
export function pruned(all: ReadonlyMap<SiteId, Bitmap>, needed: number): ReadonlyMap<SiteId, Bitmap> {
  const here = bitmapOf(all.keys())
  const edges = new Map([...all].map(([site, neighbours]) => [site, (neighbours & here) as Bitmap]))
  for (let out = weakest(edges, needed); out !== undefined; out = weakest(edges, needed)) remove(out, edges)
  return edges
}

/** Why a site that keyed has no place, for its operator: its deal is not with all, or it shares masks with too few. */
export function noPlace(site: SiteId, round: DealingRound, keyed: readonly KeyedSite[], sha256: Sha256): RotaError {
  const neighbours = sizeOf(holdingsOf(keyed, sha256).mutual.get(site) ?? EMPTY)
  const lacking = complainersOf(site, round, keyed, sha256)
  if (lacking === EMPTY || neighbours < round.threshold - 1) return new RotaError('ROTA-2328', { site, neighbours, threshold: round.threshold - 1 })
  return new RotaError('ROTA-2336', { site, lacking: sitesOf(lacking).join(', '), most: mostShown(keyed.length, round.threshold) })
}

/** @throws ROTA-2328 or ROTA-2336 when the site is not in: it abstains */
export function checkPlace(graph: MaskGraph, round: DealingRound, site: SiteId, keyed: readonly KeyedSite[], sha256: Sha256): void {
  if (!has(graph.sites, site)) throw noPlace(site, round, keyed, sha256)
}

/**
 * Whether the sum of a frozen set can be unmasked when all of it answer: of each secret every site that keyed has a share, or everybody does, so that they only have to be
 * enough. Everybody gets the same answer; when it is no, nobody publishes, and the round is void without anything shown.
 * @throws ROTA-2327 when fewer than t sites are left, ROTA-2328 when one of them has no place
 */
export function checkSurvivors({ sites }: Pick<MaskGraph, 'sites'>, { members, threshold }: DealingRound, survivors: Bitmap): void {
  const left = sizeOf(survivors)
  if (left < threshold) throw new RotaError('ROTA-2327', { left, members: sizeOf(members), threshold })
  const [site] = sitesOf((survivors & ~sites) as Bitmap)
  if (site !== undefined) throw new RotaError('ROTA-2328', { site, neighbours: 0, threshold })
}

/** Of those that may contribute, whose shares a site has. */
export const heldBy = ({ sites, holders }: MaskGraph, site: SiteId): Bitmap => bitmapOf(sitesOf(sites).filter((dealer) => has(holders(dealer), site)))

export const sharesMasks = (masks: Masks, survivors: Bitmap, site: SiteId): boolean => (masks.neighbours(site) & survivors) !== 0n

function weakest(edges: ReadonlyMap<SiteId, Bitmap>, needed: number): SiteId | undefined {
  const below = [...edges].map(([site, neighbours]) => ({ site, count: sizeOf(neighbours) })).filter(({ count }) => count < needed)
  return below.sort((a, b) => a.count - b.count || b.site - a.site)[0]?.site
}

function remove(site: SiteId, edges: Map<SiteId, Bitmap>): void {
  edges.delete(site)
  for (const [other, neighbours] of edges) edges.set(other, (neighbours & ~(1n << BigInt(site))) as Bitmap)
}
