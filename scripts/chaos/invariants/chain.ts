import { EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import type { Bitmap, Digest } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { only, type RunRecord } from '../record.ts'
import { trueSum } from './true-sum.ts'

/** A round's set is frozen once, and no honest site has acted on another: nor on two, where the chain lost one. */
export function oneFrozenSet({ events, journals, honest, lostSets }: RunRecord): string[] {
  const broken: string[] = []
  const frozen = new Map<string, Bitmap>()
  for (const { run, round, included } of only(events, 'Frozen')) {
    if (frozen.has(`${run}/${round}`)) broken.push(`round ${round} was frozen twice`)
    frozen.set(`${run}/${round}`, included)
  }
  for (const site of honest) {
    const acted = new Set<string>()
    for (const entry of journals.get(site) ?? []) {
      if (entry.kind !== 'frozen') continue
      const place = `${entry.run}/${entry.round}`
      if (acted.has(place)) broken.push(`site ${site} acted on two sets of round ${entry.round}`)
      acted.add(place)
      if (lostSets.has(place)) continue
      const stands = frozen.get(place)
      if (stands !== entry.included) broken.push(`site ${site} acted on the set ${entry.included} of round ${entry.round}, the chain has ${stands ?? 'none'}`)
    }
  }
  return broken
}

/** More than half of the frozen set attested the model with which a round closed. */
export function closedByMajority({ events }: RunRecord): string[] {
  const frozen = new Map(only(events, 'Frozen').map((e) => [e.round, e.included]))
  return only(events, 'RoundClosed').flatMap((closed) => {
    const set = frozen.get(closed.round)
    if (set === undefined) return [`round ${closed.round} closed without a frozen set`]
    const words = only(events, 'Attested').filter((e) => e.round === closed.round && e.attempt === closed.attempt && e.modelRoot === closed.modelRoot)
    const sites = new Set(words.filter(({ site, status }) => has(set, site) && status === closed.status).map(({ site }) => site))
    return 2 * sites.size > sizeOf(set) ? [] : [`round ${closed.round} closed on the word of ${sites.size} of ${sizeOf(set)} sites`]
  })
}

/** What a round closed on is the sum of the vectors of its frozen set, added here from what the sites made. */
export function noWrongSumClosed(record: RunRecord): string[] {
  const { events } = record
  const truth = truthOf(record)
  return only(events, 'RoundClosed').flatMap(({ round, attempt }) => {
    const publication = only(events, 'Published').find((e) => e.round === round && e.attempt === attempt)
    const sum = truth(round)
    if (publication === undefined || sum === null) return [`round ${round} closed without a publication`]
    if ('missing' in sum) return [`round ${round}: nobody ever made the update ${sum.missing} that is in its set`]
    return sum.root === publication.sumRoot ? [] : [`round ${round} closed on the sum of site ${publication.site}, which is wrong`]
  })
}

/** An honest site publishes no wrong sum: not even of slices that others add up for it, unless all three of a slice may lie. */
export function honestSumsAreTrue(record: RunRecord): string[] {
  const { events, honest, lostSets, draw } = record
  const truth = truthOf(record)
  const liars = new Set(draw.plan.lies.flatMap(({ site, lie }) => (lie.includes('slice') ? [site] : [])))
  if (liars.size > 2) return []
  return only(events, 'Published').flatMap(({ run, round, site, sumRoot }) => {
    if (!honest.includes(site) || lostSets.has(`${run}/${round}`)) return []
    const sum = truth(round)
    return sum !== null && 'root' in sum && sum.root !== sumRoot ? [`site ${site} is honest, and published a wrong sum in round ${round}`] : []
  })
}

type Truth = ReturnType<typeof trueSum>
const truths = new WeakMap<RunRecord, (round: number) => Truth | null>()

/** The sum of each frozen set, added up once; null of a round without one. */
function truthOf(record: RunRecord): (round: number) => Truth | null {
  const { events, vectors, draw } = record
  const known = new Map<number, Truth | null>()
  const look = (round: number): Truth | null => {
    const set = only(events, 'Frozen').find((e) => e.round === round)?.included
    if (set === undefined) return null
    const roots = only(events, 'Contributed').flatMap((e) => (e.round === round && has(set, e.site) ? [e.root] : []))
    return trueSum(roots, vectors, draw.rules.wordBits)
  }
  const truth =
    truths.get(record) ??
    ((round) => {
      const found = known.has(round) ? (known.get(round) ?? null) : look(round)
      known.set(round, found)
      return found
    })
  truths.set(record, truth)
  return truth
}

/**
 * An update is in one published sum at most: from two sums that differ by one site, that site's update would be read.
 * A chain that loses a frozen set takes that promise with it, but for those who had acted on the set: they stop.
 */
export function noUpdateInTwoSums({ said, lostSets }: RunRecord): string[] {
  const revealed = new Map<Digest, Set<string>>()
  const frozen = new Map<number, Bitmap>()
  const updates = new Map<string, Digest>()
  for (const { event } of said) {
    if (event.kind === 'Contributed') updates.set(`${event.round}/${event.site}`, event.root)
    if (event.kind === 'Frozen') frozen.set(event.round, event.included)
    if (event.kind !== 'Published' || lostSets.has(`${event.run}/${event.round}`)) continue
    const set = frozen.get(event.round) ?? EMPTY
    for (const site of sitesOf(set)) {
      const root = updates.get(`${event.round}/${site}`)
      if (root !== undefined) revealed.set(root, (revealed.get(root) ?? new Set<string>()).add(`round ${event.round} with sites ${sitesOf(set).join(' ')}`))
    }
  }
  return [...revealed].flatMap(([root, sums]) => (sums.size > 1 ? [`the update ${root} is in the sums of ${[...sums].join(' and ')}`] : []))
}

/**
 * Whoever committed an update is in the round; or too few of a slice's custodians named it, its steward withdrew, or the round is void: the log says so.
 */
export function committedOrLogged({ events, view }: RunRecord): string[] {
  return only(events, 'Contributed').flatMap(({ run, round, site }) => {
    if (view?.round.round === round || view?.run !== run) return []
    const frozen = only(events, 'Frozen').find((e) => e.run === run && e.round === round)
    if (frozen === undefined)
      return only(events, 'RoundVoid').some((e) => e.round === round) ? [] : [`site ${site} is in no set of round ${round}, which is not void`]
    const withdrew = only(events, 'StudyWithdrawn').some((e) => e.site === site && isBefore(e, frozen))
    if (has(frozen.included, site) || withdrew) return []
    const words = only(events, 'Witnessed').filter((e) => e.round === round)
    const slices = new Set(words.map(({ slice }) => slice))
    const named = (slice: number) => words.filter((e) => e.slice === slice && has(e.held, site)).length
    const enough = neededIn(events, round)
    return [...slices].every((slice) => named(slice) >= enough)
      ? [`site ${site} was left out of round ${round} although ${enough} custodians of each slice held its update`]
      : []
  })
}

/** Two custodians; more than half of the rota in a round that follows one that was frozen and came to nothing, and until one closes. */
function neededIn(events: readonly ChainEvent[], round: number): number {
  const before = only(events, 'RoundVoid').find((e) => e.round === round - 1)
  if (before === undefined) return 2
  const deep = only(events, 'Frozen').some((e) => e.round === before.round) || neededIn(events, before.round) > 2
  const rota = only(events, 'RoundOpened').find((e) => e.round === round)?.rota.length ?? 0
  return deep ? Math.floor(rota / 2) + 1 : 2
}

const isBefore = (a: ChainEvent, b: ChainEvent): boolean => a.block < b.block || (a.block === b.block && a.index < b.index)
