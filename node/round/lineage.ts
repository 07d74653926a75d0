import { EMPTY, has, sizeOf, withSite } from '#base/bitmap.ts'
import type { Attempt, Bitmap, Digest, RoundNo, RunId } from '#base/ids.ts'
import type { ChainEvent, ChainEventBody, ChainReader, ModelRef } from '#ports/chain.ts'
import { readOn } from './read-on.ts'

/** Kinds of events that say how one model led to the next. */
export const LINEAGE_KINDS = [
  'RunOpened',
  'RoundOpened',
  'Frozen',
  'Published',
  'PublicationDiscarded',
  'Attested',
  'Disputed',
  'RoundClosed',
  'RoundRefused',
  'RoundVoid',
] as const
type Kind = (typeof LINEAGE_KINDS)[number]
type Of<K extends Kind> = Extract<ChainEvent, { kind: K }>

/** A model that a run reached, by the log alone. */
export interface Ancestor extends ModelRef {
  /** The round that made it; null for the initial one. */
  readonly round: RoundNo | null
  /** Membership epoch under whose key it is encrypted. */
  readonly epoch: number
}

export interface Lineage {
  /** The initial model, then what each closed or refused round made of the one before, oldest first. Without results that a dispute struck. */
  readonly models: readonly Ancestor[]
  /** Who showed, by attesting it, that it holds the newest model. */
  readonly holders: Bitmap
  /** Why the rest of the log cannot be followed; null when it can. */
  readonly fault: string | null
}

/**
 * The chain of models of one run, followed from its events alone: it begins with the model that the protocol makes, each round opens
 * on the model that the one before it left, and each result was published for a frozen set and attested by more than half of it. A dispute
 * takes the last result back, for as long as no later round has frozen: its round is published again.
 * A contract lets nothing else happen: a log that breaks it was not made by one, so whoever catches up by an endpoint that
 * invents or hides rounds finds out before it takes a model over.
 * @param events of this run, in order, of LINEAGE_KINDS at least
 * @param initial root of the model that the protocol makes
 */
export function followLineage(events: readonly ChainEvent[], initial: Digest): Lineage {
  const walk = new Walk(initial)
  walk.takeAll(events)
  return walk
}

/** The lineage of a run on the chain, each time followed on from where it was before; from the beginning after a fault, or where the chain went back. */
export function watchLineage(chain: Pick<ChainReader, 'events'>, run: RunId, initial: Digest): () => Promise<Lineage> {
  const begin = () => ({ walk: new Walk(initial), read: readOn(chain, { run, kinds: LINEAGE_KINDS }) })
  let now = begin()
  return async () => {
    const { events, anew } = await now.read()
    if (anew) now = { ...now, walk: new Walk(initial) }
    const { walk } = now
    walk.takeAll(events)
    if (walk.fault !== null) now = begin()
    return walk
  }
}

interface OpenRound {
  readonly opened: Of<'RoundOpened'>
  included: Bitmap
  readonly published: Set<Attempt>
  readonly votes: Of<'Attested'>[]
}

class Walk implements Lineage {
  readonly models: Ancestor[] = []
  holders = EMPTY
  fault: string | null = null
  readonly #initial: Digest
  #round: OpenRound | null = null
  /** The last closed round, while its sum can be disputed. */
  #closed: OpenRound | null = null
  #last = 0

  constructor(initial: Digest) {
    this.#initial = initial
  }

  takeAll(events: readonly ChainEvent[]): void {
    const known: readonly ChainEventBody['kind'][] = LINEAGE_KINDS
    for (const event of events) {
      if (this.fault !== null) return
      if (known.includes(event.kind)) this.#take(event as Of<Kind>)
    }
  }

  #take(event: Of<Kind>): void {
    switch (event.kind) {
      case 'RunOpened':
        if (event.modelRoot !== this.#initial) this.fault = `it begins with model ${event.modelRoot}, and its protocol makes ${this.#initial}`
        else this.models.push({ root: event.modelRoot, cid: event.modelCid, round: null, epoch: 0 })
        return
      case 'RoundOpened':
        this.#open(event)
        return
      case 'Disputed':
        this.#strike(event)
        return
      case 'RoundVoid':
        if (this.#round?.opened.round === event.round) this.#round = null
        return
      case 'RoundClosed':
      case 'RoundRefused':
        this.#end(event)
        return
      default:
        if (this.#round?.opened.round !== event.round) return
        note(this.#round, event)
        if (event.kind === 'Frozen') this.#closed = null
    }
  }

  /** Of a publication that is being attested its discarding tells the rest. */
  #strike({ round }: Of<'Disputed'>): void {
    if (this.#round?.opened.round === round) return
    if (this.#closed?.opened.round !== round) {
      this.fault = `the sum of round ${round} was disputed when it could not be any more`
      return
    }
    this.models.pop()
    this.holders = EMPTY
    this.#round = this.#closed
    this.#closed = null
  }

  #open(opened: Of<'RoundOpened'>): void {
    const base = this.models.at(-1)
    const follows = opened.round === this.#last + 1 && this.#round === null
    if (base === undefined || !follows) this.fault = `round ${opened.round} opened where round ${this.#last + 1} was due`
    else if (opened.baseRoot !== base.root || opened.baseCid !== base.cid)
      this.fault = `round ${opened.round} opened on model ${opened.baseRoot}, and the run stood at ${base.root}`
    this.#last = opened.round
    this.#round = { opened, included: EMPTY, published: new Set(), votes: [] }
  }

  #end(ended: Of<'RoundClosed' | 'RoundRefused'>): void {
    const round = this.#round
    this.#round = null
    if (round === null || round.opened.round !== ended.round) this.fault = `round ${ended.round} ended without having been opened`
    else if (!round.published.has(ended.attempt)) this.fault = `round ${ended.round} ended by a sum that was not published`
    else if (sizeOf(holdersOf(round, ended)) * 2 <= sizeOf(round.included))
      this.fault = `round ${ended.round} ended without the word of more than half of its set`
    else {
      this.models.push({ root: ended.modelRoot, cid: ended.modelCid, round: ended.round, epoch: round.opened.epoch })
      this.holders = holdersOf(round, ended)
      this.#closed = ended.kind === 'RoundClosed' ? round : null
    }
  }
}

function note(round: OpenRound, event: Of<'Frozen' | 'Published' | 'PublicationDiscarded' | 'Attested'>): void {
  if (event.kind === 'Frozen') round.included = event.included
  else if (event.kind === 'Published') round.published.add(event.attempt)
  else if (event.kind === 'PublicationDiscarded') round.published.delete(event.attempt)
  else round.votes.push(event)
}

/** Sites of the set that attested exactly the result. */
function holdersOf(round: OpenRound, ended: Of<'RoundClosed' | 'RoundRefused'>): Bitmap {
  const isResult = (vote: Of<'Attested'>): boolean =>
    vote.modelRoot === ended.modelRoot && vote.modelCid === ended.modelCid && vote.status === (ended.kind === 'RoundClosed' ? ended.status : 'refused')
  return votersIn(castFor(round, ended).filter(isResult))
}

const castFor = ({ votes, included }: OpenRound, { attempt }: Of<'RoundClosed' | 'RoundRefused'>): readonly Of<'Attested'>[] =>
  votes.filter((vote) => vote.attempt === attempt && has(included, vote.site))

const votersIn = (votes: readonly Of<'Attested'>[]): Bitmap => votes.reduce((set, { site }) => withSite(set, site), EMPTY)
