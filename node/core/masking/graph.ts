import { EMPTY, has, sitesOf, sizeOf, withSite } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { DealingRound } from './context.ts'

/** A site that keyed in, and whose deals it holds, as the chain says. */
export interface KeyedSite {
  readonly site: SiteId
  readonly holds: Bitmap
}

/** Who shares a mask with whom. Follows from the chain's events alone, so all have the same. */
export interface MaskGraph {
  /** Who may contribute. */
  readonly sites: Bitmap
  /** Empty for others. */
  readonly neighbours: (site: SiteId) => Bitmap
}

/**
 * Two sites share a mask when each holds the other's deal: nobody can take a third one's masks away, a missing edge is only missing.
 * A site with fewer than t − 1 neighbours is left out, and so on until all have as many: the sum of such a site could not be unmasked, and what
 * `thresholdOf` promises would not hold. Where more than t are left each needs t neighbours: else its secrets could not be rebuilt without its own word, and
 * whoever names few others' deals as held, and then is silent, would stop the run; unless nobody would be left. The one with the fewest goes first, of several
 * the last.
 */
export function maskGraph({ members, threshold }: DealingRound, keyed: readonly KeyedSite[]): MaskGraph {
  const holds = new Map(keyed.filter(({ site }) => has(members, site)).map(({ site, holds }) => [site, holds]))
  const all = new Map([...holds.keys()].map((site) => [site, mutual(site, holds)]))
  const strict = pruned(all, (left) => Math.max(threshold - 1, Math.min(threshold, left - 1)))
  const edges = strict.size > 0 ? strict : pruned(all, () => threshold - 1)
  const sites = [...edges.keys()].reduce((set, site) => withSite(set, site), EMPTY)
  return { sites, neighbours: (site) => edges.get(site) ?? EMPTY }
}

/** Without those that have too few. @param needed neighbours that each must have, of so many that are left */
export function pruned(all: ReadonlyMap<SiteId, Bitmap>, needed: (left: number) => number): ReadonlyMap<SiteId, Bitmap> {
  const edges = new Map(all)
  for (let out = weakest(edges, needed(edges.size)); out !== undefined; out = weakest(edges, needed(edges.size))) remove(out, edges)
  return edges
}

/** How many mutual holders a site has before any is left out: what an operator is told. */
export function neighboursOf(site: SiteId, keyed: readonly KeyedSite[]): number {
  return sizeOf(mutual(site, new Map(keyed.map(({ site, holds }) => [site, holds]))))
}

/** @throws ROTA-2328 when the site is not in: it abstains */
export function checkPlace(graph: MaskGraph, { threshold }: DealingRound, site: SiteId, keyed: readonly KeyedSite[]): void {
  if (!has(graph.sites, site)) throw new RotaError('ROTA-2328', { site, neighbours: neighboursOf(site, keyed), threshold: threshold - 1 })
}

/**
 * Whether the sum of a frozen set can be unmasked when all of it answer. Everybody gets the same answer; when it is no, nobody publishes, and the
 * round is void without anything shown.
 * @throws ROTA-2327 when fewer than t sites are left, ROTA-2328 when the shares of one site are with too few of them
 */
export function checkSurvivors(graph: MaskGraph, { members, threshold }: DealingRound, survivors: Bitmap): void {
  const left = sizeOf(survivors)
  if (left < threshold) throw new RotaError('ROTA-2327', { left, members: sizeOf(members), threshold })
  for (const site of sitesOf((survivors | graph.sites) as Bitmap)) {
    const holders = (holdersOf(graph, site) & survivors) as Bitmap
    const needed = has(survivors, site) || sharesMasks(graph, survivors, site)
    if (needed && sizeOf(holders) < threshold) throw new RotaError('ROTA-2328', { site, neighbours: sizeOf(holders), threshold })
  }
}

/** Those who have a share of this site's secrets, itself among them: they can show it whether or not their own update is in the sum. */
export const holdersOf = (graph: MaskGraph, site: SiteId): Bitmap => (has(graph.sites, site) ? withSite(graph.neighbours(site), site) : graph.neighbours(site))

export const sharesMasks = (graph: MaskGraph, survivors: Bitmap, site: SiteId): boolean => (graph.neighbours(site) & survivors) !== 0n

function mutual(site: SiteId, holds: ReadonlyMap<SiteId, Bitmap>): Bitmap {
  const held = sitesOf(holds.get(site) ?? EMPTY)
  return held.filter((other) => other !== site && has(holds.get(other) ?? EMPTY, site)).reduce((set, other) => withSite(set, other), EMPTY)
}

function weakest(edges: ReadonlyMap<SiteId, Bitmap>, needed: number): SiteId | undefined {
  const below = [...edges].map(([site, neighbours]) => ({ site, count: sizeOf(neighbours) })).filter(({ count }) => count < needed)
  return below.sort((a, b) => a.count - b.count || b.site - a.site)[0]?.site
}

function remove(site: SiteId, edges: Map<SiteId, Bitmap>): void {
  edges.delete(site)
  for (const [other, neighbours] of edges) edges.set(other, (neighbours & ~(1n << BigInt(site))) as Bitmap)
}
