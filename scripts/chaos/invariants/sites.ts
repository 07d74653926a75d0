import { has } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { only, type RunRecord } from '../record.ts'
import { groupsBear } from './groups.ts'
import { couldNotGoOn, hidersOf } from './masked.ts'
import { calmFromMs, momentsOf, outageBetween, soundBetween, stayingOf } from './time.ts'

/** More than so many voids in a row lose a round. */
const VOIDS_ALLOWED = 3
/** So long a site may take to see that it is back: a call that hung is given up after a second. Then it may miss so many rounds. */
const MS_TO_RETURN = 1_500
const ROUNDS_TO_RETURN = 2
const ROUNDS_TO_JUDGE = 2

/** A run comes to its end, and no more than three rounds in a row are void while a majority is sound all the while. */
export function noRoundLost(record: RunRecord): string[] {
  const { events, gaveUp, draw } = record
  const at = momentsOf(record)
  if (isBrokenChain(record) || couldNotGoOn(record)) return []
  const broken = gaveUp === null && isAtItsEnd(record) ? [] : [`the run stopped: ${gaveUp ?? record.view?.state}`]
  let voids: { readonly round: number; readonly fromMs: number; readonly toMs: number }[] = []
  let openedMs = 0
  for (const event of events) {
    if (event.kind === 'RoundOpened') openedMs = at(event)
    if (event.kind === 'RoundClosed' || event.kind === 'RoundRefused') voids = []
    if (event.kind !== 'RoundVoid') continue
    voids.push({ round: event.round, fromMs: openedMs, toMs: at(event) })
    const row = voids.slice(-VOIDS_ALLOWED - 1)
    const fromMs = row[0]?.fromMs ?? 0
    const sound = soundBetween(record, fromMs, at(event))
    const isEnough = draw.isInGroups ? groupsBear(record, sound) : hasEnough(record, sound)
    if (row.length > VOIDS_ALLOWED && isEnough && !outageBetween(record, fromMs, at(event)))
      broken.push(`rounds ${row.map(({ round }) => round).join(', ')} are void, though sites ${sound.join(', ')} were sound all the while`)
  }
  return broken
}

/** A round that is repeated in groups can spare nobody. */
const hasEnough = (record: RunRecord, sound: readonly SiteId[]): boolean =>
  hidersOf(record).length > 0 ? sound.length === record.draw.sites : 2 * sound.length > record.draw.sites

/** Finished, or stopped as an exact run must when a patient withdraws. */
const isAtItsEnd = ({ view, draw, withdrawals }: RunRecord): boolean =>
  view?.state === 'Finished' || (view?.state === 'Halted' && draw.rules.exact && withdrawals.length > 0)

/** The chain lost a frozen set, and some who had acted on it found another in its place. */
const isBrokenChain = ({ lostSets, stopped }: RunRecord): boolean => lostSets.size > 0 && stopped.some(({ code }) => code === 'ROTA-5504')

/** The final model lies at every honest site. */
export function sameModelEverywhere(record: RunRecord): string[] {
  const { holders, view, gaveUp } = record
  if (view?.state !== 'Finished' || gaveUp !== null) return []
  return stayingOf(record).flatMap((site) => (has(holders, site) ? [] : [`site ${site} does not hold the final model ${view.model.root}`]))
}

/** What a journal says was sent is what the chain shows of that site, and what the chain shows stands in its journal. */
export function journalAgreesWithChain(record: RunRecord): string[] {
  const at = momentsOf(record)
  return record.honest.flatMap((site) => {
    const journal = record.journals.get(site) ?? []
    const restored = Math.max(Number.NEGATIVE_INFINITY, ...(record.restoredAtMs.get(site) ?? []))
    // What was sent in a round that was open when the journal went back may have been mined after it.
    const forgotten = new Set(only(record.events, 'RoundOpened').flatMap((e) => (at(e) <= restored ? [e.round] : [])))
    return record.events.flatMap((event) => {
      if (!needsEntry(event) || event.site !== site || forgotten.has(event.round)) return []
      const known = journal.filter((entry) => isOf(entry, event))
      if (known.length === 0) return wasCompacted(journal, event) ? [] : [`site ${site}: its journal knows nothing of ${told(event)}`]
      return known.some((entry) => agrees(entry, event)) ? [] : [`site ${site}: its journal has another ${told(event)}`]
    })
  })
}

type Journalled = Extract<ChainEvent, { kind: 'Contributed' | 'Published' | 'Attested' }>

const KINDS = { Contributed: 'contributed', Published: 'published', Attested: 'attested' } as const
const needsEntry = (event: ChainEvent): event is Journalled => event.kind in KINDS
const told = (event: ChainEvent): string => `${event.kind} of round ${'round' in event ? event.round : '?'}`

/** Entries of rounds that are over may be gone. */
const wasCompacted = (journal: readonly JournalEntry[], event: Journalled): boolean =>
  !journal.some((entry) => entry.kind !== 'frozen' && entry.run === event.run && entry.round <= event.round)

function isOf(entry: JournalEntry, event: ChainEvent): boolean {
  if (!needsEntry(event) || entry.kind !== KINDS[event.kind] || entry.run !== event.run || entry.round !== event.round) return false
  return !('attempt' in entry && 'attempt' in event) || entry.attempt === event.attempt
}

function agrees(entry: JournalEntry, event: ChainEvent): boolean {
  if (entry.kind === 'contributed' && event.kind === 'Contributed') return entry.root === event.root && entry.cid === event.cid
  if (entry.kind === 'published' && event.kind === 'Published') return entry.root === event.sumRoot && entry.cid === event.sumCid
  if (entry.kind === 'attested' && event.kind === 'Attested') return entry.root === event.modelRoot && entry.status === event.status
  return true
}

/** No honest node has ended with what only a person can mend, but for those that should. */
export const nobodyNeedsAPerson = ({ stopped, honest, expectedStops }: RunRecord): string[] =>
  stopped.flatMap(({ site, code, error }) =>
    honest.includes(site) && !expectedStops.some((e) => e.code === code && (e.site ?? site) === site)
      ? [`site ${site} stopped and waits for a person: ${error}`]
      : [],
  )

/**
 * A site that is back, or was always there, is in rounds that follow: not in each, since links go on losing things and liars lying. Training for
 * longer than the others wait may keep a site out for good.
 */
export function everybodyTakesPart(record: RunRecord): string[] {
  const { events, gaveUp } = record
  const at = momentsOf(record)
  const calm = calmFromMs(record) + MS_TO_RETURN
  const opened = only(events, 'RoundOpened').filter((e) => at(e) >= calm)
  const after = new Set(opened.slice(ROUNDS_TO_RETURN).map(({ round }) => round))
  const sets = only(events, 'Frozen').filter(({ round }) => after.has(round))
  if (gaveUp !== null || sets.length < ROUNDS_TO_JUDGE) return []
  const slow = record.draw.plan.training.map(({ site }) => site)
  return stayingOf(record)
    .filter((site) => !slow.includes(site) && !sets.some(({ included }) => has(included, site)))
    .map((site) => `site ${site} is in none of rounds ${sets.map(({ round }) => round).join(', ')}, though all was calm`)
}
