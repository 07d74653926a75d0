import { has, sitesOf } from '#base/bitmap.ts'
import { fromHex, toHex, utf8 } from '#base/bytes.ts'
import type { Bitmap, Digest, SiteId } from '#base/ids.ts'
import { sha256 } from '../digest.ts'
import type { KnownModel } from '../round-input.ts'
import type { StudyLog } from '../run-log.ts'
import { groupsOfSites, type MaskGroup } from './groups.ts'
import type { MaskEdges } from './mask-round.ts'

/** Who is with whom in a study. */
export interface DrawnGroups {
  readonly seed: Digest
  readonly sets: readonly (readonly SiteId[])[]
}

type Model = KnownModel['model']

/** A run begins with a round that shows the salt of its sum, and is of no groups. */
export const isBeforeDraw = ({ stage }: Model): boolean => stage === 'draw'

/** What such a round leads to. */
export const withSaltOf = (model: Model, sum: Uint8Array): Model => ({ ...model, state: { ...model.state, salt: toHex(sha256(sum.subarray(0, 32))) } })

/** The draw, worked out a second time: the sites of the first frozen set in the order of their hashes, dealt out one after the other. Null while no round has closed. */
export function drawnIn({ first: [first] }: Pick<StudyLog, 'first'>): DrawnGroups | null {
  if (first === undefined) return null
  const seed = first.modelRoot
  const order = sitesOf(first.included)
    .map((site) => ({ site, hash: toHex(hashOf(seed, site)) }))
    .sort((a, b) => (a.hash > b.hash ? 1 : -1))
  const fives = Math.floor(order.length / 5)
  const count = fives < 5 ? 3 : fives < 7 ? 5 : 7
  return { seed, sets: Array.from({ length: count }, (_, group) => order.filter((_, i) => i % count === group).map(({ site }) => site)) }
}

const hashOf = (seed: Digest, site: SiteId): Uint8Array => sha256(utf8('rota/draw/1 '), fromHex(seed), Uint8Array.of(site))

/**
 * The groups of one round, each with its part: drawn sites where the draw has them, others where their hash points. Of each only those who share masks with
 * enough of it; where these are less than four none of them may be in the set.
 * @param among sets that a repeated round must be inside of
 */
export function groupsFrom({ seed, sets }: DrawnGroups, edges: MaskEdges, among: readonly Bitmap[], length: number): MaskGroup[] {
  const here = [...edges.keys()].filter((site) => among.every((set) => has(set, site)))
  const drawn = new Map(sets.flatMap((set, group) => set.map((site) => [site, group] as const)))
  const groupOf = (site: SiteId): number => drawn.get(site) ?? Buffer.from(hashOf(seed, site)).readUInt32BE(0) % sets.length
  const groups = sets.map((_, group) => here.filter((site) => groupOf(site) === group))
  return groupsOfSites(groups, edges, (length - 32) / sets.length).filter(({ sites }) => sites.size >= 4)
}
