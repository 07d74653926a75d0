import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { FALSE_DEALINGS, HIDDEN_LIES, type Lie, MASKING_LIES } from '#adapters/sim/faults.ts'
import { sha256 } from '#app/sha256.ts'
import { bitmapOf, EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { fromHex } from '#base/bytes.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { DealingRound } from '#core/masking/context.ts'
import { maskGraph } from '#core/masking/graph.ts'
import { areLargeOf, FEWEST_IN_GROUP, groupsOfRefused, maskGroups } from '#core/masking/groups.ts'
import type { KeyedSite } from '#core/masking/held-deals.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { decodeDealFile } from '#wire/masking/deal-file.ts'
import { decodeJustification, justifiedIn, sharesIn } from '#wire/masking/justification.ts'
import { only, type RunRecord, STALLED_MS } from '../record.ts'
import { falseDealersOf } from './false-dealers.ts'
import { momentsOf } from './time.ts'

/** A false dealer shows what it holds of the others. */
const SILENT_LIES = MASKING_LIES.filter((lie) => !FALSE_DEALINGS.includes(lie))

const isHonest = ({ honest }: RunRecord, site: SiteId): boolean => honest.includes(site)

/** So long before a run ends whoever is back has been asked for its shares: it was paused until then. */
const ASKED_MS = 10_000
/** And of one that stands. No pause is longer than all before it and a minute, so that whoever is back for half of the time has been asked. */
const ASKED_WHILE_IT_STANDS_MS = STALLED_MS / 2

/**
 * Honest sites that can show what they hold when the run ends, or is given up: each was there, or came back in time, and not with a copy of its folder from before it keyed.
 */
function answering({ honest, casualties, endMs, view }: RunRecord, keyedMs: ReadonlyMap<SiteId, number>): SiteId[] {
  const askedMs = view?.state === 'Ended' ? ASKED_MS : ASKED_WHILE_IT_STANDS_MS
  const isGone = ({ site, why, fromMs: since, toMs }: RunRecord['casualties'][number]): boolean =>
    toMs > endMs - askedMs || (why.startsWith('restored') && since <= endMs && toMs >= (keyedMs.get(site) ?? Number.POSITIVE_INFINITY))
  return honest.filter((site) => !casualties.some((casualty) => casualty.site === site && isGone(casualty)))
}

/** A masked sum is published, and nothing came of it before patience was over. */
const isStanding = ({ view, gaveUp, draw }: RunRecord): boolean => gaveUp !== null && draw.rules.mode === 'masked' && (view?.round.publications ?? 0) > 0

/**
 * Whether a run was right to end, or to wait for as long as it was watched: a masked sum was published, and of the shares of some site's secret too few were with honest
 * sites that were there, or came back. No other sum may stand beside it, so the run cannot go on. That many are away for a while is no reason: then it waits.
 */
export function couldNotGoOn(record: RunRecord): boolean {
  const { view, draw, events } = record
  if (view === null || (view.state !== 'Ended' && !isStanding(record))) return false
  const at = momentsOf(record)
  const { round, included } = view.round
  const awaited = only(events, 'RoundOpened').find((e) => e.round === round)?.awaited ?? EMPTY
  const keyed = only(events, 'Keyed').filter((e) => e.round === round)
  const silent = new Set(draw.plan.lies.flatMap(({ site, lie }) => ((SILENT_LIES as readonly Lie[]).includes(lie) ? [site] : [])))
  const good = bitmapOf(answering(record, new Map(keyed.map((e) => [e.site, at(e)]))).filter((site) => !silent.has(site)))
  const terms = { round, members: awaited, threshold: thresholdOf(sizeOf(awaited)), ctx: new Uint8Array(32) }
  const graph = maskGraph(terms, keyed, sha256, shownIn(record, terms, keyed))
  return sitesOf((graph.sites | included) as Bitmap).some((site) => {
    const holders = graph.holders(site)
    return holders !== EMPTY && sizeOf((holders & good) as Bitmap) + graph.shown(site).size < terms.threshold
  })
}

/** Shares that dealers of a round showed before anybody masked. */
function shownIn({ events }: RunRecord, terms: DealingRound, keyed: readonly KeyedSite[]) {
  const said = only(events, 'Justified').filter((e) => e.round === terms.round && e.justification !== '0x')
  const ctx = said.map(({ justification }) => decodeDealFile(decodeJustification(fromHex(justification)).file).index.ctx)[0] ?? terms.ctx
  return sharesIn(justifiedIn({ ...terms, ctx }, keyed, said, nodeMasking))
}

/** Of one round and one other site an honest site shows a share of its self-mask or of its pair masks: with both its update would be bare. */
export function neverBothKinds(record: RunRecord): string[] {
  const kinds = new Map<string, Set<string>>()
  for (const { site, run, round, survivors, about } of record.shown) {
    if (!isHonest(record, site)) continue
    for (const other of sitesOf(about)) {
      const place = `site ${site} about site ${other} in round ${round} of run ${run}`
      kinds.set(place, (kinds.get(place) ?? new Set()).add(has(survivors, other) ? 'self' : 'mask'))
    }
  }
  return [...kinds].flatMap(([place, shown]) => (shown.size > 1 ? [`both kinds of share are shown by ${place}`] : []))
}

/** Of the updates that sites made of one model one set is unmasked: a second sum beside it would show whoever is in one of them alone. */
export function oneSetUnmasked(record: RunRecord): string[] {
  const base = new Map(record.said.flatMap(({ event }) => (event.kind === 'RoundOpened' ? [[`${event.run}/${event.round}`, event.baseRoot] as const] : [])))
  const sets = new Map<string, Set<Bitmap>>()
  for (const { site, run, round, survivors } of record.shown) {
    if (!isHonest(record, site) || record.lostSets.has(`${run}/${round}`)) continue
    const model = `${run} ${base.get(`${run}/${round}`)}`
    sets.set(model, (sets.get(model) ?? new Set()).add(survivors))
  }
  return [...sets].flatMap(([model, seen]) => (seen.size > 1 ? [`${seen.size} sets of updates of one model are unmasked: run ${model}`] : []))
}

/** Shares leave for a set that the chain froze, once its sum stands there: a round that is void before shows nothing. */
export function shownOncePublished(record: RunRecord): string[] {
  if (record.draw.rules.mode !== 'masked') return []
  return record.shown.flatMap(({ atMs, site, run, round, survivors }) => {
    if (!isHonest(record, site)) return []
    const isFrozen = record.said.some(({ event: e }) => e.kind === 'Frozen' && e.run === run && e.round === round && e.included === survivors)
    const isPublished = record.said.some(({ atMs: saidMs, event: e }) => e.kind === 'Published' && e.run === run && e.round === round && saidMs <= atMs)
    return isFrozen && isPublished
      ? []
      : [`site ${site} shows shares in round ${round} ${isFrozen ? 'before a sum is published' : 'for a set that was never frozen'}`]
  })
}

/** Sums without their masks are sums that updates can have, unless somebody hid other words behind its mask. */
export function masksComeOff(record: RunRecord): string[] {
  if (record.draw.rules.mode !== 'masked') return []
  const spoilt = bitmapOf([...hidersOf(record), ...falseDealersOf(record)])
  return only(record.events, 'RoundRefused').flatMap(({ round }) =>
    ((setOf(record, round) | keyedIn(record, round)) & spoilt) !== 0n ? [] : [`the sum of round ${round} was refused: masks were left in it`],
  )
}

/** Sites that hide garbage. */
export const hidersOf = ({ draw }: Pick<RunRecord, 'draw'>): SiteId[] =>
  draw.plan.lies.flatMap(({ site, lie }) => ((HIDDEN_LIES as readonly Lie[]).includes(lie) ? [site] : []))

const keyedIn = ({ events }: RunRecord, round: number): Bitmap =>
  bitmapOf(
    only(events, 'Keyed')
      .filter((e) => e.round === round)
      .map(({ site }) => site),
  )

const setOf = ({ events }: RunRecord, round: number): Bitmap => only(events, 'Frozen').find((e) => e.round === round)?.included ?? EMPTY

/** A refused round is repeated in groups or not at all, and what is shown of it tells of no fewer sites than a group has. Not where it was for false shares. */
export function groupsHideEnough(record: RunRecord): string[] {
  if (record.draw.isInGroups) return []
  if (falseDealersOf(record).length > 0) return []
  const opened = only(record.events, 'RoundOpened')
  return only(record.events, 'RoundRefused').flatMap(({ round }) => {
    const before = setOf(record, round)
    const base = opened.find((e) => e.round === round + 1)?.baseRoot
    return opened
      .filter((e) => e.baseRoot === base)
      .flatMap((repeat) => {
        const { included } = only(record.events, 'Frozen').find((e) => e.round === repeat.round) ?? { included: EMPTY }
        const isShown = record.shown.some((show) => isHonest(record, show.site) && show.round === repeat.round && show.survivors === included)
        if (!isShown) return []
        const keyed = only(record.events, 'Keyed').filter((e) => e.round === repeat.round)
        const terms = { round: repeat.round, members: repeat.awaited, threshold: thresholdOf(sizeOf(repeat.awaited)), ctx: new Uint8Array(32) }
        const dealt = groupsOfRefused(before, { run: repeat.run, baseRoot: repeat.baseRoot }, sha256)
        const isCut = areLargeOf(dealt, (repeat.awaited & before) as Bitmap)
        const groups = maskGroups(maskGraph(terms, keyed, sha256, shownIn(record, terms, keyed)), before, isCut ? dealt : [])
        const few = groups.sets.filter((set) => sizeOf((set & included) as Bitmap) < FEWEST_IN_GROUP)
        // Of those who were left out of the study since, nobody minds what a difference tells.
        const left = bitmapOf([...hidersOf(record), ...record.gone])
        const differ = sizeOf(((before ^ included) & ~left) as Bitmap)
        return [
          ...(few.length > 0 ? [`round ${repeat.round} shows the sum of fewer than ${FEWEST_IN_GROUP} sites`] : []),
          ...(differ > 0 && differ < FEWEST_IN_GROUP ? [`rounds ${round} and ${repeat.round} show sums that differ by ${differ} sites`] : []),
        ]
      })
  })
}
