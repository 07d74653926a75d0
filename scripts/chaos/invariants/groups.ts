import { createHash } from 'node:crypto'
import { VERDICTS } from '#audit/report.ts'
import { bitmapOf, EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import type { Bitmap, Digest, SiteId } from '#base/ids.ts'
import { only, type RunRecord } from '../record.ts'

/** As docs/how-a-round-works.md has it; on purpose not with the code that nodes draw with. */
const FEWEST_IN_GROUP = 4
const FEWEST_GROUPS = 3
const MOST_GROUPS = 7
const SALT_BYTES = 32

/** The round that draws, and the groups; null before it has closed. */
export interface DrawnGroups {
  readonly round: number
  readonly groupOf: (site: SiteId) => number
  readonly count: number
}

export function drawnGroups({ events }: Pick<RunRecord, 'events'>): DrawnGroups | null {
  const first = only(events, 'RoundClosed')[0]
  const set = only(events, 'Frozen').find((e) => e.run === first?.run && e.round === first.round)?.included
  if (first === undefined || set === undefined) return null
  const five = Math.min(MOST_GROUPS, Math.max(FEWEST_GROUPS, Math.floor(sizeOf(set) / 5)))
  const count = five - ((five + 1) % 2)
  const order = sitesOf(set).sort((a, b) => Buffer.compare(lot(first.modelRoot, a), lot(first.modelRoot, b)))
  const groupOf = (site: SiteId): number => (has(set, site) ? order.indexOf(site) : lot(first.modelRoot, site).readUInt32BE(0)) % count
  return { round: first.round, groupOf, count }
}

const lot = (seed: Digest, site: SiteId): Buffer =>
  createHash('sha256')
    .update('rota/draw/1 ')
    .update(Buffer.from(seed.slice(2), 'hex'))
    .update(Uint8Array.of(site))
    .digest()

/** Of each group those of a set that are in it. */
export const groupsIn = ({ groupOf, count }: DrawnGroups, set: Bitmap): readonly Bitmap[] =>
  Array.from({ length: count }, (_, group) => bitmapOf(sitesOf(set).filter((site) => groupOf(site) === group)))

const isShown = ({ shown, honest }: RunRecord, round: number, set: Bitmap): boolean =>
  shown.some((show) => show.round === round && show.survivors === set && honest.includes(show.site))

const setOf = ({ events }: RunRecord, round: number): Bitmap => only(events, 'Frozen').find((e) => e.round === round)?.included ?? EMPTY

/** After the draw a site's words stand in the part of one group, which every site has for good; whoever sends it otherwise is not in the sum. */
export function groupsAreFixed(record: RunRecord): string[] {
  if (!record.draw.isInGroups) return []
  const draw = drawnGroups(record)
  return only(record.events, 'Contributed').flatMap(({ round, site, root }) => {
    const vector = record.vectors.get(root)
    const isIn = has(setOf(record, round), site)
    if (draw === null || round <= draw.round || vector === undefined || !(isIn || record.honest.includes(site))) return []
    const partBytes = (vector.length - SALT_BYTES) / draw.count
    const own = SALT_BYTES + draw.groupOf(site) * partBytes
    const isEmpty = (from: number, to: number): boolean => vector.subarray(from, to).every((byte) => byte === 0)
    const strays = !Number.isInteger(partBytes) || !isEmpty(SALT_BYTES, own) || !isEmpty(own + partBytes, vector.length)
    return strays ? [`site ${site} has words in another group's part in round ${round}`] : []
  })
}

/** Nothing is shown of a round with a sum over one to three sites, nor of one with fewer than three sums. */
export function sumsOfGroupsHideEnough(record: RunRecord): string[] {
  const draw = record.draw.isInGroups ? drawnGroups(record) : null
  if (draw === null) return []
  return only(record.events, 'Frozen').flatMap(({ round, included }) => {
    if (round <= draw.round || !isShown(record, round, included)) return []
    const sizes = groupsIn(draw, included).map(sizeOf)
    const isEnough = sizes.every((size) => size === 0 || size >= FEWEST_IN_GROUP) && sizes.filter((size) => size > 0).length >= FEWEST_GROUPS
    return isEnough ? [] : [`round ${round} shows sums over ${sizes.join(', ')} sites`]
  })
}

/** A refused round has shown a sum of each group: one that repeats it shows those of the very same sites, but for who has left, or nothing. */
export function repeatsShowTheSame(record: RunRecord): string[] {
  if (!record.draw.isInGroups) return []
  const left = bitmapOf(record.gone)
  const broken: string[] = []
  let before: Bitmap | null = null
  for (const event of record.events) {
    if (event.kind === 'RoundClosed') before = null
    if (event.kind === 'Frozen' && before !== null && ((before ^ event.included) & ~left) !== 0n && isShown(record, event.round, event.included))
      broken.push(`round ${event.round} repeats a refused one, and shows sums of other sites`)
    if (event.kind === 'RoundRefused') before = setOf(record, event.round)
  }
  return broken
}

/** One site spoils no more than one group's sum, and the median needs most groups only: no round is refused. */
export const oneSpoilsNoRound = ({ draw, events }: RunRecord): string[] =>
  draw.isInGroups ? only(events, 'RoundRefused').map(({ round }) => `round ${round} was refused, with one site at most that hides something`) : []

/**
 * An auditor takes the masks off, takes the median of what the groups' sums lead to, and comes to the model that the sites attested. It may lack an update and have the
 * stored sum; where nodes have thinned large vectors, or a disk has lost some, it may have the attestations alone.
 */
export function auditFollows({ audit, draw }: RunRecord): string[] {
  if (audit === null) return []
  const faults = audit.faults.map(({ round, message }) => `round ${round} does not hold: ${message}`)
  const mayLack = draw.study === 'large' || draw.plan.disturbances.some(({ kind }) => kind === 'lost-blocks' || kind === 'restore')
  const isFound = (verdict: string): boolean => verdict === VERDICTS.recomputed || verdict === VERDICTS.fromSum || (mayLack && verdict === VERDICTS.attested)
  return [...faults, ...audit.rounds.flatMap(({ round, verdict }) => (isFound(verdict) ? [] : [`round ${round}: ${verdict}`]))]
}

/** Whether each group has enough of these sites, so that no other's absence voids a round; before the draw whether they are enough to draw. */
export function groupsBear(record: RunRecord, sites: readonly SiteId[]): boolean {
  const draw = drawnGroups(record)
  if (draw === null) return sites.length >= FEWEST_GROUPS * FEWEST_IN_GROUP
  return groupsIn(draw, bitmapOf(sites)).every((set) => sizeOf(set) >= FEWEST_IN_GROUP)
}
