import { EMPTY, withSite } from '#base/bitmap.ts'
import type { Bitmap, Digest, RunId, SiteId, StudyId } from '#base/ids.ts'
import type { ChainEvent, ChainEventBody, ModelRef } from '#ports/chain.ts'

/** The event of one kind. */
export type EventOf<K extends ChainEventBody['kind']> = Extract<ChainEvent, { kind: K }>

type RoundEventKind = 'Keyed' | 'Justified' | 'Contributed' | 'PhaseBegan' | 'Witnessed' | 'Published' | 'Attested' | 'PublicationDiscarded'

/** One round as the chain tells it, from its opening to its end. */
export interface RoundLog {
  readonly opened: EventOf<'RoundOpened'>
  /** A frozen set came to nothing before it, in rounds one after another without a pause: all of its rota are custodians of each slice, and a majority is heard. */
  readonly isDeep: boolean
  /** In the order of the chain. */
  readonly events: readonly EventOf<RoundEventKind>[]
  readonly frozen: EventOf<'Frozen'> | null
  /** Sites whose stewards had approved the study when the set was frozen. */
  readonly approvedAtFreeze: Bitmap
  readonly ended: EventOf<'RoundClosed' | 'RoundRefused' | 'RoundVoid'> | null
  /** Attestations after its end: they count for nothing, and still name what their sites took off a masked sum. */
  readonly late: readonly EventOf<'Attested'>[]
}

export interface RunLog {
  readonly run: RunId
  readonly study: StudyId
  readonly initial: ModelRef
  readonly rounds: readonly RoundLog[]
}

/** A study as the log tells it. */
export interface StudyLog {
  readonly study: StudyId
  readonly protocolDigest: Digest
  readonly protocolCid: Digest
  readonly epochs: ReadonlyMap<number, EventOf<'EpochPublished'>>
  /** The first round of each of its runs that closed, in the order in which they did. */
  readonly first: readonly FirstRound[]
}

export interface FirstRound {
  readonly run: RunId
  readonly modelRoot: Digest
  readonly included: Bitmap
}

export interface Log {
  readonly studies: ReadonlyMap<StudyId, StudyLog>
  readonly runs: readonly RunLog[]
}

/** Sorts the chain's events into studies, runs and rounds. */
export function readLog(events: readonly ChainEvent[]): Log {
  const reader = new LogReader()
  for (const event of events) reader.take(event)
  return { studies: reader.studies, runs: [...reader.runs.values()] }
}

interface OpenRound {
  opened: EventOf<'RoundOpened'>
  isDeep: boolean
  events: EventOf<RoundEventKind>[]
  frozen: EventOf<'Frozen'> | null
  approvedAtFreeze: Bitmap
  ended: RoundLog['ended']
  late: EventOf<'Attested'>[]
}

class LogReader {
  readonly studies = new Map<StudyId, StudyLog & { readonly epochs: Map<number, EventOf<'EpochPublished'>>; first: readonly FirstRound[] }>()
  readonly runs = new Map<RunId, Omit<RunLog, 'rounds'> & { readonly rounds: OpenRound[] }>()
  readonly #approved = new Map<StudyId, Bitmap>()
  /** Runs that paused since their last round opened. */
  readonly #isResumed = new Set<RunId>()

  take(event: ChainEvent): void {
    if (event.kind === 'StudyPublished') {
      const { study, protocolDigest, protocolCid } = event
      this.studies.set(study, { study, protocolDigest, protocolCid, epochs: new Map(), first: [] })
    } else if (event.kind === 'EpochPublished') this.studies.get(event.study)?.epochs.set(event.epoch, event)
    else if (event.kind === 'StudyApproved') this.#approved.set(event.study, withSite(this.#approvedNow(event.study), event.site))
    else if (event.kind === 'StudyWithdrawn') this.#approved.set(event.study, without(this.#approvedNow(event.study), event.site))
    else if (event.kind === 'RunOpened') {
      const { run, study, modelRoot, modelCid } = event
      this.runs.set(run, { run, study, initial: { root: modelRoot, cid: modelCid }, rounds: [] })
    } else if (event.kind === 'RoundOpened') {
      const isDeep = this.#isDeep(event.run)
      this.#isResumed.delete(event.run)
      this.runs.get(event.run)?.rounds.push({ opened: event, isDeep, events: [], frozen: null, approvedAtFreeze: EMPTY, ended: null, late: [] })
    } else if (event.kind === 'RunStateChanged') this.#isResumed.add(event.run)
    else this.#inRound(event)
  }

  #isDeep(run: RunId): boolean {
    const before = this.runs.get(run)?.rounds.at(-1)
    if (before?.ended?.kind !== 'RoundVoid' || this.#isResumed.has(run)) return false
    return before.isDeep || before.ended.phase === 'Publishing' || before.ended.phase === 'Attesting'
  }

  #inRound(event: ChainEvent): void {
    if (!('run' in event && 'round' in event)) return
    const run = this.runs.get(event.run)
    const round = run?.rounds.findLast((r) => r.opened.round === event.round)
    if (round && event.kind === 'Disputed') round.ended = null
    if (round?.ended && event.kind === 'Attested') round.late.push(event)
    if (run && event.kind === 'Disputed') this.#struck(run)
    if (!run || !round || round.ended || event.kind === 'Disputed') return
    if (event.kind === 'Frozen') {
      round.frozen = event
      round.approvedAtFreeze = this.#approvedNow(run.study)
    } else if (event.kind === 'RoundClosed' || event.kind === 'RoundRefused' || event.kind === 'RoundVoid') {
      round.ended = event
      if (event.kind === 'RoundClosed') this.#closed(run, event.modelRoot, round.frozen?.included ?? EMPTY)
    } else if (event.kind !== 'Charged' && event.kind !== 'Abstained' && event.kind !== 'ContributingExtended' && event.kind !== 'RoundOpened')
      round.events.push(event)
  }

  #closed({ run, study }: Pick<RunLog, 'run' | 'study'>, modelRoot: Digest, included: Bitmap): void {
    const of = this.studies.get(study)
    if (of && !of.first.some((one) => one.run === run)) of.first = [...of.first, { run, modelRoot, included }]
  }

  /** A run has no round that closed any more, when a dispute takes the only one back. */
  #struck({ run, study, rounds }: Pick<RunLog, 'run' | 'study' | 'rounds'>): void {
    const of = this.studies.get(study)
    if (of && !rounds.some(({ ended }) => ended?.kind === 'RoundClosed')) of.first = of.first.filter((one) => one.run !== run)
  }

  #approvedNow(study: StudyId): Bitmap {
    return this.#approved.get(study) ?? EMPTY
  }
}

const without = (set: Bitmap, site: SiteId): Bitmap => (set & ~(1n << BigInt(site))) as Bitmap

/** A round's events of one kind. */
export const eventsOf = <K extends RoundEventKind>(round: Pick<RoundLog, 'events'>, kind: K): EventOf<K>[] =>
  round.events.filter((event): event is EventOf<RoundEventKind> & EventOf<K> => event.kind === kind)
