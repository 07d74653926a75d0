import type { RunId } from '#base/ids.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'

export type EventFilter = { readonly run?: number; readonly kinds?: readonly ChainEventBody['kind'][] }

/** Events of bytes `from` to `to` of the file; null when it cannot be read. */
type ReadBack = (from: number, to: number) => readonly ChainEvent[] | null

/** In memory are at least so many, and the last rounds of whichever runs: whatever is asked again and again is among these. */
const RECENT = 1_000
const RECENT_ROUNDS = 16
/** Older ones leave the memory so many at a time; as many are read from the disk at once. */
const SHARE = 500

/** A stretch of events that are on the disk alone, bytes `from` to `to` of their file. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly events: number
  readonly lastBlock: number
  readonly runs: ReadonlySet<RunId>
}

/**
 * Events in order, of which the newest are in memory, and of the older ones those that belong to no round: so that a node which runs for
 * months stays as large as it was. The rounds of the past lie in the file of logs, and are read from there when somebody asks for them.
 * What no file holds stays in memory.
 */
export class EventHistory {
  readonly #readBack: ReadBack
  /** Of old stretches, what belongs to no round: as many as there are members, studies, runs and withdrawals. */
  readonly #lasting: ChainEvent[] = []
  readonly #old: Stretch[] = []
  #recent: ChainEvent[] = []
  /** Where the log of each recent event ends in the file. */
  #ends: number[] = []
  #oldEnd: number

  /** @param start where the first log begins in the file @param readBack events of a part of the file */
  constructor(start: number, readBack: ReadBack) {
    this.#oldEnd = start
    this.#readBack = readBack
  }

  /** @param end where its log ends in the file; null when it is in none: from then on all stay in memory */
  push(event: ChainEvent, end: number | null): void {
    this.#recent.push(event)
    if (end !== null && this.#ends.length === this.#recent.length - 1) this.#ends.push(end)
    else this.#ends = []
    if (this.#recent.length % SHARE === 0) while (this.#isMuch()) this.#putAway()
  }

  /** Events of blocks `block` and later; null when the past is asked for and the file does not have it any more. */
  since(block: number, filter?: EventFilter): readonly ChainEvent[] | null {
    const fits = (event: ChainEvent): boolean => event.block >= block && matches(event, filter)
    const recent = this.#recent.slice(firstAtOrAfter(this.#recent, block)).filter(fits)
    const lasts = filter?.kinds?.every((kind) => !OF_ROUNDS.has(kind)) === true
    const old = lasts ? this.#lasting.filter(fits) : this.#pastSince(block, filter?.run, fits)
    if (old === null) return null
    return old.length === 0 ? recent : [...old, ...recent]
  }

  #pastSince(block: number, run: number | undefined, fits: (event: ChainEvent) => boolean): readonly ChainEvent[] | null {
    const past: ChainEvent[] = []
    for (const stretch of this.#old) {
      if (stretch.lastBlock < block || (run !== undefined && !stretch.runs.has(run as RunId))) continue
      const events = this.#readBack(stretch.from, stretch.to)
      if (events?.length !== stretch.events || events.at(-1)?.block !== stretch.lastBlock) return null
      for (const event of events) if (fits(event)) past.push(event)
    }
    return past
  }

  #isMuch(): boolean {
    const whole = this.#ends[SHARE - 1] !== this.#ends.at(-1)
    return whole && this.#recent.length >= RECENT + SHARE && this.#ends.length >= SHARE && roundsOpenedIn(this.#recent, SHARE) >= RECENT_ROUNDS
  }

  #putAway(): void {
    const to = this.#ends[SHARE - 1] as number
    // Events of one log, as a batch of withdrawals, stay together: a stretch is read back in whole lines.
    const share = this.#ends.lastIndexOf(to) + 1
    const events = this.#recent.slice(0, share)
    this.#old.push({
      from: this.#oldEnd,
      to,
      events: share,
      lastBlock: (events.at(-1) as ChainEvent).block,
      runs: new Set(events.flatMap((event) => ('run' in event ? [event.run] : []))),
    })
    this.#lasting.push(...events.filter(({ kind }) => !OF_ROUNDS.has(kind)))
    this.#oldEnd = to
    // Arrays from which much was taken away would keep the room.
    this.#recent = this.#recent.slice(share)
    this.#ends = this.#ends.slice(share)
  }
}

/** Of these there are more with each round. */
const OF_ROUNDS: ReadonlySet<ChainEventBody['kind']> = new Set([
  ...([
    'RoundOpened',
    'Charged',
    'Keyed',
    'Justified',
    'Contributed',
    'Abstained',
    'ContributingExtended',
    'PhaseBegan',
    'Witnessed',
    'Frozen',
    'Published',
    'Attested',
  ] as const),
  ...(['PublicationDiscarded', 'Disputed', 'RoundClosed', 'RoundRefused', 'RoundVoid', 'SiteReady'] as const),
])

function roundsOpenedIn(events: readonly ChainEvent[], from: number): number {
  let rounds = 0
  for (let i = from; i < events.length; i++) if ((events[i] as ChainEvent).kind === 'RoundOpened') rounds++
  return rounds
}

/** Callers ask for the newest few of many, so the search begins at the end. */
function firstAtOrAfter(events: readonly ChainEvent[], block: number): number {
  let i = events.length
  while (i > 0 && (events[i - 1] as ChainEvent).block >= block) i--
  return i
}

const matches = (event: ChainEvent, filter: EventFilter | undefined): boolean =>
  (filter?.kinds === undefined || filter.kinds.includes(event.kind)) && (filter?.run === undefined || ('run' in event && event.run === filter.run))
