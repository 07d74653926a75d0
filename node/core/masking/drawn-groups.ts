import { bitmapOf, sitesOf } from '#base/bitmap.ts'
import { concat, fromHex, type Sha256, toHex, utf8 } from '#base/bytes.ts'
import type { Bitmap, Digest, SiteId } from '#base/ids.ts'
import type { Model } from '../model/model.ts'
import { SALT_BYTES } from '../ring/layout.ts'
import type { Masks } from './graph.ts'
import { FEWEST_IN_GROUP, type MaskGroups, masksInside, withoutSmall } from './groups.ts'

/** Of fewer groups one that is bad would be as many as those that are not. */
export const FEWEST_GROUPS = 3
/** A vector has a part for each. */
const MOST_GROUPS = 7
/** In a round of groups, so that each may have enough. */
export const FEWEST_IN_ROUND = FEWEST_GROUPS * FEWEST_IN_GROUP
/** In a study, so that a site of each group may stay away. */
export const FEWEST_IN_STUDY = FEWEST_GROUPS * (FEWEST_IN_GROUP + 1)

/** Into how many groups so many sites are drawn, of five or more each: an odd number, since one more would not bear one bad group more. */
export function drawnCount(sites: number): number {
  const most = Math.min(MOST_GROUPS, Math.max(FEWEST_GROUPS, Math.floor(sites / (FEWEST_IN_GROUP + 1))))
  return most % 2 === 0 ? most - 1 : most
}

/** Who is with whom in a study. */
export interface Draw {
  readonly seed: Digest
  /** In the order of their parts of the vector. */
  readonly sets: readonly Bitmap[]
}

/**
 * The model that the first round of a run leaves, with the salt of its sum in it, so that its root is random if the salt of one site is: all were committed to with
 * their masked vectors before the set was frozen, and nobody can keep theirs back, since more than two thirds of the sites show the sum together.
 * @param sum of vectors under masks from their first byte on
 */
export const withSalt = (model: Model, sum: Uint8Array, sha256: Sha256): Model => ({
  ...model,
  state: { ...model.state, salt: toHex(sha256(sum.subarray(0, SALT_BYTES))) },
})

/**
 * Draws the groups of a study.
 * @param seed root of the model that the first of its rounds left
 * @param included its frozen set: who was not in it had no part in the draw
 */
export function drawGroups(seed: Digest, included: Bitmap, sha256: Sha256): Draw {
  const sites = sitesOf(included)
  const count = drawnCount(sites.length)
  const order = sites.map((site) => ({ site, name: toHex(nameOf(seed, site, sha256)) })).sort((a, b) => (a.name < b.name ? -1 : 1))
  const sets = Array.from({ length: count }, (_, group) => bitmapOf(order.filter((_, i) => i % count === group).map(({ site }) => site)))
  return { seed, sets }
}

const nameOf = (seed: Digest, site: SiteId, sha256: Sha256): Uint8Array => sha256(concat(utf8('rota/draw/1 '), fromHex(seed), Uint8Array.of(site)))

/**
 * The groups of a round: those of the draw as far as their sites are here. Whoever stays away moves nobody else: a site that was not in the draw has the place
 * that its own hash names, and a group with too few sits out. It is not joined to another: of that one a run before has shown a sum without it, and the
 * difference would be of these few alone. Less than three are too few to bear a bad one (`groupsStand`).
 * @param among sites that may take part
 */
export function groupsOfDraw({ seed, sets }: Draw, graph: Masks, among: Bitmap, sha256: Sha256): MaskGroups {
  const here = (graph.sites & among) as Bitmap
  const drawn = sets.reduce((all, set) => all | set, 0n)
  const placed = sets.map((set) => sitesOf((set & here) as Bitmap))
  for (const site of sitesOf((here & ~drawn) as Bitmap)) placed[placeOf(seed, site, sets.length, sha256)]?.push(site)
  return withoutSmall(masksInside(graph, placed.map(bitmapOf), FEWEST_GROUPS))
}

/** The first 32 bits of its hash: of at most seven places none is likelier by more than one in 2^29. */
function placeOf(seed: Digest, site: SiteId, count: number, sha256: Sha256): number {
  const name = nameOf(seed, site, sha256)
  return new DataView(name.buffer, name.byteOffset).getUint32(0) % count
}
