import { type Attempt, type Digest, type RoundNo, type RunId, roundNo, ZERO_DIGEST } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { END_KINDS, type RoundEnd } from './round-ends.ts'

/** Whatever names an object, or tells that it is nothing any more. */
export const NAMING = ['StudyPublished', 'EpochPublished', 'RunOpened', 'RoundOpened', 'Keyed', 'Contributed', 'Published', 'Attested', ...END_KINDS] as const
export type Naming = Extract<ChainEvent, { kind: (typeof NAMING)[number] }>

const UPDATE_LIFE_S = 24 * 3600
const KEEP_LAST = 3
const KEEP_EVERY = 10

/** An object that a site's own copy of need not stay. */
export interface Spent {
  readonly cid: Digest
  readonly round: RoundNo
  /** Kept while it is small. */
  readonly onlyLarge: boolean
}

/** Up to which round of a run updates, and large sums and models, can be dealt with. */
export interface UpTo {
  readonly updates: number
  readonly large: number
}

export interface SpentOfRun {
  readonly spent: readonly Spent[]
  readonly upTo: UpTo
  /** The last opened. */
  readonly round: RoundNo
}

/** One round's objects, for as long as something is to be decided about them. */
interface RoundNames {
  /** What a masked round is recomputed from, for the study's life: what sites keyed with, and what they took off its sum. */
  readonly masking: Digest[]
  readonly updates: Digest[]
  readonly sums: { readonly attempt: Attempt; readonly cid: Digest }[]
}

interface RunNames {
  /** In the order of their opening. */
  readonly rounds: Map<RoundNo, RoundNames>
  /** Those that stand, in their order: a dispute after the close takes an end back. */
  readonly ends: Map<RoundNo, { readonly attempt: Attempt | null; readonly timestamp: number; readonly modelCid: Digest | null }>
  last: RoundNo
  /** Up to which round large objects were dealt with. */
  large: number
}

/**
 * What the chain names and what of it may go, an event at a time. Of rounds that are settled (a day old, and three were made since) only
 * a few bits of each name stay, so that what this remembers is a day of rounds, and a number for each object that a site keeps for ever.
 *
 * A member may name any object as its update, the study's protocol too: what is kept under one name is never spent under another. Bits that
 * happen to be alike keep one object too many.
 */
export class NamedObjects {
  readonly #runs = new Map<RunId, RunNames>()
  readonly #ofStudies = new Set<Digest>()
  /** Of settled rounds: what stays, and what stays while it is small. */
  readonly #settled = { kept: new Set<number>(), small: new Set<number>() }

  take(e: Naming): void {
    if (e.kind === 'StudyPublished') this.#ofStudies.add(e.protocolCid)
    else if (e.kind === 'EpochPublished') this.#ofStudies.add(e.bundle)
    else if (e.kind === 'RunOpened') this.#ofStudies.add(e.modelCid)
    else if (e.kind === 'RoundOpened') open(this.#run(e.run), e.round)
    else takeOfRound(this.#run(e.run), e)
  }

  /** What is spent at `now` (seconds of the chain), by run; and the names of all that is not. */
  sort(now: number): Sorted {
    const kept = new Set(this.#ofStudies)
    const runs = new Map([...this.#runs].map(([run, names]) => [run, spentOf(names, now, kept)] as const))
    const small = new Set([...runs.values()].flatMap(({ spent }) => spent.flatMap(({ cid, onlyLarge }) => (onlyLarge ? [cid] : []))))
    const settled = this.#settled
    const isKept = (cid: Digest): boolean => kept.has(cid) || settled.kept.has(bitsOf(cid))
    return {
      runs,
      kept: { has: isKept },
      named: { has: (cid) => isKept(cid) || small.has(cid) || settled.small.has(bitsOf(cid)), all: () => new Set([...kept, ...small]) },
    }
  }

  /** Forgets the rounds of which all was dealt with. */
  settle(now: number): void {
    for (const names of this.#runs.values()) {
      const passed = new Set(passedOf(names))
      for (const [round, { masking, sums }] of names.rounds) {
        const end = names.ends.get(round)
        if (end === undefined || now - end.timestamp < UPDATE_LIFE_S || (end.attempt !== null && !passed.has(round))) continue
        const stay = round % KEEP_EVERY === 0 ? this.#settled.kept : this.#settled.small
        for (const cid of resultsOf(end, sums)) stay.add(bitsOf(cid))
        for (const cid of masking) this.#settled.kept.add(bitsOf(cid))
        names.rounds.delete(round)
        names.ends.delete(round)
      }
      names.large = Math.max(names.large, ...passed)
    }
  }

  #run(run: RunId): RunNames {
    const names = this.#runs.get(run) ?? { rounds: new Map(), ends: new Map(), last: roundNo(0), large: 0 }
    this.#runs.set(run, names)
    return names
  }
}

export interface Names {
  has(cid: Digest): boolean
}

export interface Sorted {
  readonly runs: ReadonlyMap<RunId, SpentOfRun>
  readonly kept: Names
  /** These, and what is kept while it is small: all that may lie on this disk by its name on the chain. `all`: those of rounds that are not settled. */
  readonly named: Names & { all(): ReadonlySet<Digest> }
}

function open(names: RunNames, round: RoundNo): void {
  names.rounds.set(round, { masking: [], updates: [], sums: [] })
  names.last = round
}

function takeOfRound({ rounds, ends }: RunNames, e: Extract<Naming, { round: RoundNo }>): void {
  const round = rounds.get(e.round)
  if (round === undefined) return
  if (e.kind === 'Keyed') round.masking.push(e.dealCid)
  else if (e.kind === 'Attested') {
    // In an open study `own` names nothing.
    if (round.masking.length > 0 && e.own !== ZERO_DIGEST) round.masking.push(e.own)
  } else if (e.kind === 'Contributed') round.updates.push(e.cid)
  else if (e.kind === 'Published') round.sums.push({ attempt: e.attempt, cid: e.sumCid })
  else if (e.kind === 'Disputed') ends.delete(e.round)
  else if (e.kind !== 'RoundOpened') ends.set(e.round, endOf(e))
}

const endOf = (e: RoundEnd) => ({
  attempt: e.kind === 'RoundVoid' ? null : e.attempt,
  timestamp: e.timestamp,
  modelCid: e.kind === 'RoundVoid' ? null : e.modelCid,
})

/** What a round led to. A publication that was discarded is nothing, nor is a result that a dispute struck. */
const resultsOf = ({ attempt, modelCid }: NonNullable<ReturnType<typeof endOf>>, sums: RoundNames['sums']): readonly Digest[] => [
  ...(modelCid === null ? [] : [modelCid]),
  ...sums.flatMap((sum) => (sum.attempt === attempt ? [sum.cid] : [])),
]

/** Rounds that made a model which is not one of the last. A refused round leaves a model too: the same weights, with its refusals one up. */
const passedOf = ({ ends }: RunNames): readonly RoundNo[] => [...ends].flatMap(([round, { attempt }]) => (attempt === null ? [] : [round])).slice(0, -KEEP_LAST)

/** What of a run is spent; what is not goes to `kept`. */
function spentOf(names: RunNames, now: number, kept: Set<Digest>): SpentOfRun {
  const passed = passedOf(names)
  const thinned = new Set(passed.filter((round) => round % KEEP_EVERY !== 0))
  const isOld = (round: RoundNo): boolean => now - (names.ends.get(round)?.timestamp ?? now) >= UPDATE_LIFE_S
  const spent: Spent[] = []
  const put = (isSpent: boolean, round: RoundNo, cid: Digest, onlyLarge: boolean): void =>
    void (isSpent ? spent.push({ cid, round, onlyLarge }) : kept.add(cid))
  for (const [round, { masking, updates, sums }] of names.rounds) {
    const end = names.ends.get(round)
    for (const cid of masking) kept.add(cid)
    for (const cid of updates) put(isOld(round), round, cid, false)
    // Of a round that goes on nobody knows yet which publication will stand.
    const results = end === undefined ? sums.map(({ cid }) => cid) : resultsOf(end, sums)
    for (const cid of results) put(thinned.has(round), round, cid, true)
  }
  // A round that is published again after a dispute ends later than those opened since.
  const young = [...names.rounds.keys()].find((round) => !isOld(round))
  return { spent, upTo: { updates: young === undefined ? names.last : young - 1, large: Math.max(names.large, passed.at(-1) ?? 0) }, round: names.last }
}

/** 52 bits of a name, as many as a number holds. */
const bitsOf = (cid: Digest): number => Number.parseInt(cid.slice(2, 15), 16)
