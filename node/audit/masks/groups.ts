import { EMPTY, has, sitesOf } from '#base/bitmap.ts'
import { fromHex, toHex, utf8 } from '#base/bytes.ts'
import type { Bitmap, Digest, RunId, SiteId } from '#base/ids.ts'
import { sha256 } from '../digest.ts'
import { edgesAmong, type MaskEdges } from './mask-round.ts'

/** In front of the coordinates, once a vector. */
const SALT_BYTES = 32

/** A group of a round that was repeated in groups, and its part of each vector. */
export interface MaskGroup {
  readonly sites: ReadonlySet<SiteId>
  readonly start: number
  readonly end: number
}

/** So many groups, worked out a second time: eight sites make two, fifteen three, and none has fewer than four; 0: the round is not cut. */
export function groupsFor(members: number): number {
  if (members < 8) return 0
  return members < 15 ? 2 : Math.min(8, Math.floor(members / 5))
}

/**
 * Who was with whom: the sites of the round that was refused first, in the order of SHA-256 over run, site and the model that this refusal left, dealt out one
 * after the other; of them those that share masks now. None where one of these groups has fewer than four of the sites that the round awaited: it is one sum
 * then. Who shares masks with too few of its group is out.
 * @param refused sets of the rounds that this one repeats, the first first: who was not in all of them is in no group
 * @param bytes of the vector
 */
export function groupsIn(
  edges: MaskEdges,
  refused: readonly Bitmap[],
  awaited: Bitmap,
  of: { readonly run: RunId; readonly model: Digest },
  bytes: number,
): MaskGroup[] {
  const drawn = sitesOf(refused[0] ?? EMPTY).map((site) => ({ site, hash: toHex(sha256(utf8(`rota/groups/1 ${of.run} ${site} `), fromHex(of.model))) }))
  const order = drawn.sort((a, b) => (a.hash > b.hash ? 1 : -1)).map(({ site }) => site)
  const count = groupsFor(order.length)
  const dealt = Array.from({ length: count }, (_, group) => order.filter((site, i) => i % count === group && refused.every((set) => has(set, site))))
  if (dealt.some((sites) => sites.filter((site) => has(awaited, site)).length < 4)) return []
  const here = dealt.map((sites) => sites.filter((site) => edges.has(site)))
  return groupsOfSites(here, edges, (bytes - SALT_BYTES) / count)
}

/** Their parts of a vector, one after the other; without those who share masks with too few of their group. */
export const groupsOfSites = (groups: readonly (readonly SiteId[])[], edges: MaskEdges, partBytes: number): MaskGroup[] =>
  groups.map((sites, group) => {
    const partners = Math.floor((2 * sites.length) / 3)
    const start = SALT_BYTES + group * partBytes
    return { sites: new Set(edgesAmong(sites, edges, partners).keys()), start, end: start + partBytes }
  })

/** Why the sums of these groups, over this set, told too much, or hid less than they should: a line each. */
export function groupFaults(groups: readonly MaskGroup[], included: Bitmap): string[] {
  const lines = groups.flatMap(({ sites }) => {
    const left = [...sites].filter((site) => has(included, site))
    return left.length < 4 ? [`only ${left.length} sites are in the group of site ${[...sites].join(', ')}, and 4 are needed`] : []
  })
  const strangers = sitesOf(included).filter((site) => !groups.some(({ sites }) => sites.has(site)))
  return strangers.length === 0 ? lines : [...lines, `site ${strangers.join(', ')} is in the set and in no group`]
}

/** Who has words in the part of a group that is not its own. */
export function isStray(bytes: Uint8Array, own: MaskGroup | undefined): boolean {
  return bytes.some((byte, i) => byte !== 0 && i >= SALT_BYTES && !(own !== undefined && i >= own.start && i < own.end))
}
