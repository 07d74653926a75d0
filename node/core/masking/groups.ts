import { bitmapOf, EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { concat, fromHex, type Sha256, toHex, utf8 } from '#base/bytes.ts'
import type { Bitmap, Digest, RunId, SiteId } from '#base/ids.ts'
import { type Masks, pruned } from './graph.ts'
import { thresholdOf } from './threshold.ts'

/** A group whose sum is shown has so many sites at least: among fewer it would tell too much of each. */
export const FEWEST_IN_GROUP = 4
/** Among fewer sites there are no two groups. */
const FEWEST_IN_GROUPS = 2 * FEWEST_IN_GROUP
/** A vector has a part for each group. */
const MOST_GROUPS = 8

/** Into how many groups a round of so many sites is cut; 0 when there are too few. One site more than needed in each, where there are enough: it may drop out. */
export const groupCount = (sites: number): number =>
  sites < FEWEST_IN_GROUPS ? 0 : Math.min(MOST_GROUPS, Math.max(2, Math.floor(sites / (FEWEST_IN_GROUP + 1))))

/** Who shares masks with whom in a round of groups. */
export interface MaskGroups {
  /** In the order of their parts of the vector. */
  readonly sets: readonly Bitmap[]
  /** So many of them must not be empty. */
  readonly fewest: number
  /** As the round's graph, inside groups alone. */
  readonly masks: Masks
}

/**
 * The sites of the round that was refused first, in groups as even as can be, by the order of a hash of run, base model and site: all work out the same, and
 * nobody draws. However often it is repeated, and whoever stays away or has left by then, no other changes its group: sums of two groups that are the same but
 * for a few sites would tell of these.
 * @param refused its frozen set
 * @returns none where there are too few sites for two
 */
export function groupsOfRefused(refused: Bitmap, of: { readonly run: RunId; readonly baseRoot: Digest }, sha256: Sha256): readonly Bitmap[] {
  const named = sitesOf(refused).map((site) => ({
    site,
    name: toHex(sha256(concat(utf8(`rota/groups/1 ${of.run} ${site} `), fromHex(of.baseRoot)))),
  }))
  const order = named.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ site }) => site)
  const count = groupCount(order.length)
  return Array.from({ length: count }, (_, group) => bitmapOf(order.filter((_, i) => i % count === group)))
}

/** Whether so many of these sites are in each group that its sum may be shown; where they are not a round is repeated as one sum. */
export const areLargeOf = (groups: readonly Bitmap[], sites: Bitmap): boolean =>
  groups.length > 0 && groups.every((set) => sizeOf((set & sites) as Bitmap) >= FEWEST_IN_GROUP)

/**
 * The sites of a graph in their groups. In its group each shares masks with as many as in a round among these sites alone; who does not is left out. Of a
 * group with too few the round shows nothing (`groupsStand`).
 * @param among sites that may take part
 */
export const maskGroups = (graph: Masks, among: Bitmap, groups: readonly Bitmap[]): MaskGroups =>
  masksInside(
    graph,
    groups.map((set) => (set & graph.sites & among) as Bitmap),
    groups.length,
  )

/** Masks are shared inside groups alone. Who shares them with too few of its group is left out. @param fewest groups that may be left */
export function masksInside(graph: Masks, groups: readonly Bitmap[], fewest: number): MaskGroups {
  const sets = groups.map((set) => joined(graph, set))
  const setOf = new Map(sets.flatMap((set) => sitesOf(set).map((site): [SiteId, Bitmap] => [site, set])))
  const neighbours = (site: SiteId): Bitmap => (graph.neighbours(site) & (setOf.get(site) ?? EMPTY)) as Bitmap
  return { sets, fewest, masks: { sites: sets.reduce((all, set) => (all | set) as Bitmap, EMPTY), neighbours } }
}

/** Those with too few sites that share masks sit out, and their parts of the vector stay empty. The others' masks stay as they are. */
export function withoutSmall({ sets, fewest, masks }: MaskGroups): MaskGroups {
  const large = sets.map((set) => (sizeOf(set) < FEWEST_IN_GROUP ? EMPTY : set))
  const sites = large.reduce((all, set) => (all | set) as Bitmap, EMPTY)
  return { sets: large, fewest, masks: { sites, neighbours: (site) => (has(sites, site) ? masks.neighbours(site) : EMPTY) } }
}

function joined(graph: Masks, set: Bitmap): Bitmap {
  const sites = sitesOf(set)
  const needed = thresholdOf(sites.length) - 1
  return bitmapOf([...pruned(new Map(sites.map((site) => [site, graph.neighbours(site)])), needed).keys()])
}

/** Whether each group's part of a sum over these sites hides each of them among enough others. */
export function groupsStand({ sets, fewest }: MaskGroups, survivors: Bitmap): boolean {
  const all = sets.filter((set) => set !== EMPTY)
  const hides = all.every((set) => sizeOf((set & survivors) as Bitmap) >= FEWEST_IN_GROUP)
  return hides && all.length >= fewest && (survivors & ~all.reduce((union, set) => (union | set) as Bitmap, EMPTY)) === 0n
}

/** Whether the sums over two sets, of updates that are much the same, differ by those of so few sites that they would tell of these. */
export const tellsOfFew = (shown: Bitmap, now: Bitmap): boolean => shown !== now && sizeOf((shown ^ now) as Bitmap) < FEWEST_IN_GROUP
