import { EMPTY, has, sitesOf, sizeOf, withSite } from '#base/bitmap.ts'
import type { Sha256 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { DealingRound } from './context.ts'
import { heldIn, type KeyedSite, nameOfDeal } from './held-deals.ts'

/** Who shares a mask with whom. */
export interface Masks {
  /** Who may contribute. */
  readonly sites: Bitmap
  /** Empty for others. */
  readonly neighbours: (site: SiteId) => Bitmap
}

/** Follows from the chain's events alone, so all have the same. */
export interface MaskGraph extends Masks {
  /** Of a site that may contribute: who has shares of its secrets, itself among them. They can show them whether or not they are in the sum, or may be. */
  readonly holders: (site: SiteId) => Bitmap
}

/** What of the run before bears on a graph. */
export interface Before {
  /** Updates without which a round is void. */
  readonly quorum: number
  /** Sites that could contribute to a void round since one closed, and were not in its set: see `maskGraph`. */
  readonly defaulted: Bitmap
}

/**
 * Two sites share a mask when each holds the other's deal, the very one that the other keyed with: nobody can take a third one's masks away, a missing edge is
 * only missing. Whoever deals otherwise to some shares no mask with these.
 *
 * A site with fewer than t − 1 neighbours is left out, and so on until all have as many (what `thresholdOf` promises would not hold); the one with the fewest
 * goes first, of several the last. So is one whose deal is held by too few, whatever it says of theirs: t and as many more as `spareOf` members, so that its secrets
 * can be rebuilt when these are silent, be they of its own choosing; fewer where so many would leave more than that number of sites out, but one more than t while as many as t are left.
 *
 * Whoever keyed in a void round, and then was not in though it could, is left out where the others are enough: by keying without naming an honest site's deal, and
 * dropping out, few could have round after round void.
 */
export function maskGraph(
  { members, threshold }: Pick<DealingRound, 'members' | 'threshold'>,
  keyed: readonly KeyedSite[],
  sha256: Sha256,
  { quorum, defaulted }: Before = FIRST,
): MaskGraph {
  const held = holdingsOf(
    keyed.filter(({ site }) => has(members, site)),
    sha256,
  )
  const spare = spareOf(sizeOf(members), threshold)
  const reliable = joined(held, threshold, spare, defaulted)
  const edges = defaulted !== EMPTY && reliable.size >= Math.max(threshold, quorum) ? reliable : joined(held, threshold, spare, EMPTY)
  const sites = [...edges.keys()].reduce((set, site) => withSite(set, site), EMPTY)
  return { sites, neighbours: (site) => edges.get(site) ?? EMPTY, holders: (site) => (has(sites, site) ? (held.holders.get(site) ?? EMPTY) : EMPTY) }
}

/** Of a round after one that came to something. */
export const FIRST: Before = { quorum: 0, defaulted: EMPTY }

/** Members whose silence a secret bears wherever its site has chosen them: half of those without whom a sum can be unmasked. @see maskGraph */
export const spareOf = (members: number, threshold: number): number => Math.max(1, Math.floor((members - threshold) / 2))

interface Held {
  readonly mutual: ReadonlyMap<SiteId, Bitmap>
  readonly holders: ReadonlyMap<SiteId, Bitmap>
}

function holdingsOf(keyed: readonly KeyedSite[], sha256: Sha256): Held {
  const names = new Map(keyed.map((each) => [each.site, nameOfDeal(each, sha256)]))
  const held = new Map(keyed.map((each) => [each.site, heldIn(each)]))
  const all = [...names.keys()]
  const holds = (holder: SiteId, dealer: SiteId): boolean => held.get(holder)?.get(dealer)?.name === names.get(dealer)
  const those = (of: (other: SiteId) => boolean): Bitmap => all.filter(of).reduce((set, other) => withSite(set, other), EMPTY)
  return {
    mutual: new Map(all.map((site) => [site, those((other) => other !== site && holds(site, other) && holds(other, site))])),
    holders: new Map(all.map((site) => [site, those((other) => other === site || holds(other, site))])),
  }
}

function joined({ mutual, holders }: Held, threshold: number, spare: number, without: Bitmap): ReadonlyMap<SiteId, Bitmap> {
  const here = [...mutual].filter(([site]) => !has(without, site))
  for (let needed = threshold + spare; needed > threshold; needed--) {
    const known = new Map(here.filter(([site]) => sizeOf(holders.get(site) ?? EMPTY) >= needed))
    const edges = pruned(known, threshold - 1)
    if (edges.size >= Math.max(threshold, needed > threshold + 1 ? here.length - spare : 0)) return edges
  }
  return pruned(new Map(here), threshold - 1)
}

/** Without those that share masks with too few of the rest. @param needed neighbours that each must have */
export function pruned(all: ReadonlyMap<SiteId, Bitmap>, needed: number): ReadonlyMap<SiteId, Bitmap> {
  const here = [...all.keys()].reduce((set, site) => withSite(set, site), EMPTY)
  const edges = new Map([...all].map(([site, neighbours]) => [site, (neighbours & here) as Bitmap]))
  for (let out = weakest(edges, needed); out !== undefined; out = weakest(edges, needed)) remove(out, edges)
  return edges
}

/** How many mutual holders a site has before any is left out: what an operator is told. */
export function neighboursOf(site: SiteId, keyed: readonly KeyedSite[], sha256: Sha256): number {
  return sizeOf(holdingsOf(keyed, sha256).mutual.get(site) ?? EMPTY)
}

/** @throws ROTA-2328 when the site is not in: it abstains */
export function checkPlace(graph: MaskGraph, { threshold }: DealingRound, site: SiteId, keyed: readonly KeyedSite[], sha256: Sha256): void {
  if (!has(graph.sites, site)) throw new RotaError('ROTA-2328', { site, neighbours: neighboursOf(site, keyed, sha256), threshold: threshold - 1 })
}

/**
 * Whether the sum of a frozen set can be unmasked when all of it answer; of one that is published, when all do who keyed. Everybody gets the same answer; when it is no,
 * nobody publishes, and the round is void without anything shown.
 * @throws ROTA-2327 when fewer than t sites are left, ROTA-2328 when the shares of one site are with too few of them
 */
export function checkSurvivors(graph: MaskGraph, { members, threshold }: DealingRound, survivors: Bitmap, isPublished = false): void {
  const left = sizeOf(survivors)
  if (left < threshold) throw new RotaError('ROTA-2327', { left, members: sizeOf(members), threshold })
  for (const site of sitesOf((survivors | graph.sites) as Bitmap)) {
    const holders = isPublished ? graph.holders(site) : ((graph.holders(site) & survivors) as Bitmap)
    const needed = has(survivors, site) || sharesMasks(graph, survivors, site)
    if (needed && sizeOf(holders) < threshold) throw new RotaError('ROTA-2328', { site, neighbours: sizeOf(holders), threshold })
  }
}

/** Of those that may contribute, whose shares a site has. */
export const heldBy = ({ sites, holders }: MaskGraph, site: SiteId): Bitmap =>
  sitesOf(sites)
    .filter((dealer) => has(holders(dealer), site))
    .reduce((set, dealer) => withSite(set, dealer), EMPTY)

export const sharesMasks = (masks: Masks, survivors: Bitmap, site: SiteId): boolean => (masks.neighbours(site) & survivors) !== 0n

function weakest(edges: ReadonlyMap<SiteId, Bitmap>, needed: number): SiteId | undefined {
  const below = [...edges].map(([site, neighbours]) => ({ site, count: sizeOf(neighbours) })).filter(({ count }) => count < needed)
  return below.sort((a, b) => a.count - b.count || b.site - a.site)[0]?.site
}

function remove(site: SiteId, edges: Map<SiteId, Bitmap>): void {
  edges.delete(site)
  for (const [other, neighbours] of edges) edges.set(other, (neighbours & ~(1n << BigInt(site))) as Bitmap)
}
