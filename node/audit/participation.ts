import type { RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { AbstainReason, ChainEvent, RunState } from '#ports/chain.ts'
import { type Fate, finish, type Gathered, gather, type RoundPart, stay, take } from './round-part.ts'
import { OUTSIDE, studyMembers, studyOf } from './study-members.ts'

/** Why a site that should have been in a round was not. */
export const ABSENT = ['late', 'silent', 'notAwaited', 'notHeld', ...OUTSIDE] as const satisfies readonly Fate[]
export type Absence = (typeof ABSENT)[number]

/** A run as its rounds were shared: from the chain's events alone, so that a site and an auditor read the same. */
export interface Participation {
  readonly run: RunId
  readonly rounds: readonly RoundPart[]
  /** Each site that stood in the rota of a round, or was approved for the study while the run went on, in the order of ids. */
  readonly sites: readonly SitePart[]
}

/** One site's share of a run. */
export interface SitePart {
  readonly site: SiteId
  /** Rounds since it belongs to the run, in their rota or not, of which it is known whether it was in. */
  readonly rounds: number
  readonly in: number
  readonly missing: readonly { readonly why: Absence; readonly rounds: readonly RoundNo[] }[]
  readonly missingRounds: number
  readonly abstained: readonly { readonly reason: AbstainReason; readonly rounds: readonly RoundNo[] }[]
  readonly lastIn: RoundNo | null
  /** Newest rounds in a row that it was missing from. */
  readonly missingInARow: number
  readonly led: readonly RoundNo[]
  /** Sums that it published, and which of them the others threw out. */
  readonly published: number
  readonly thrownOut: readonly RoundNo[]
  /** Rounds in which its turn to publish came and went. */
  readonly passedOver: readonly RoundNo[]
  /** Rounds that it would have led, had it not missed an earlier turn. */
  readonly steppedOver: readonly RoundNo[]
  /** Rounds in which it asked for more time to contribute. */
  readonly askedForTime: readonly RoundNo[]
  readonly witnessed: number
  readonly attested: number
  /** Chain seconds from a round's opening to its contribution: the middle and the longest; null when it never contributed. */
  readonly contributedAfter: { readonly median: number; readonly longest: number } | null
}

/** @param events of the whole chain, in order; the run's alone do not tell why a site is in the rota no more, nor of one that waits for a key */
export function participationOf(events: readonly ChainEvent[], run: RunId): Participation {
  const rounds = roundParts(events, run)
  const sites = [...new Set(rounds.flatMap(({ fates }) => fates.map(({ site }) => site)))].sort((a, b) => a - b)
  return { run, rounds, sites: sites.map((site) => shareOf(site, rounds)) }
}

/**
 * The rounds that opened in these events.
 * @param before the round before the first of them, where earlier ones are left out; the run's opening must not be, nor what the study's members
 * follow from (`isOfMembers`)
 */
export function roundParts(events: readonly ChainEvent[], run: RunId, before?: RoundPart): readonly RoundPart[] {
  const gathered = gatherRounds(events, run, before)
  const parts: RoundPart[] = []
  for (const [i, round] of gathered.entries()) parts.push(finish(round, parts[i - 1] ?? before, gathered[i + 1]))
  return parts
}

/** Whether a site should have been in the round and was not. */
export const isAbsent = (fate: Fate): fate is Absence => (ABSENT as readonly Fate[]).includes(fate)

/** Why a run rests, or is over, whose round cannot be published this time. */
const SPENT: Partial<Record<RunState, number>> = { Paused: 2, Ended: 0 }

/** A masked round stays over a pause; after a dispute it is not the newest. */
function spend(rounds: readonly Gathered[]): void {
  const kept = rounds.findLast(({ state, publications }) => state === 'open' && publications.length > 0)
  if (kept !== undefined) stay(kept)
}

function gatherRounds(events: readonly ChainEvent[], run: RunId, before: RoundPart | undefined): readonly Gathered[] {
  const rounds: Gathered[] = []
  const members = studyMembers(studyOf(events, run))
  const known = new Set(before?.fates.map(({ site }) => site))
  let halted = false
  for (const e of events) {
    const current = rounds.at(-1)
    members.take(e)
    if (!('run' in e) || e.run !== run) continue
    if (e.kind === 'RoundOpened') {
      const outside = members.outside(e.rota, known)
      rounds.push(gather(e, outside))
      for (const site of [...e.rota, ...outside.keys()]) known.add(site)
    } else if (e.kind === 'SiteReady') current?.ready.add(e.site)
    else if (e.kind === 'RunStateChanged') {
      halted = e.state === 'Halted' || e.state === 'Ended'
      if (e.reason === SPENT[e.state]) spend(rounds)
    } else if ('round' in e) {
      const round = rounds.findLast(({ opened }) => opened.round === e.round)
      if (round !== undefined) take(round, e, members)
    }
    if (halted) for (const round of rounds) if (round.state === 'open') round.state = 'halted'
  }
  return rounds
}

function shareOf(site: SiteId, rounds: readonly RoundPart[]): SitePart {
  const fates = rounds.flatMap(({ round, fates: all }) => all.filter((f) => f.site === site && f.fate !== 'open').map((f) => ({ ...f, round })))
  const numbers = (fits: (round: RoundPart) => boolean) => rounds.filter(fits).map(({ round }) => round)
  const after = rounds.flatMap(({ contributedAfter }) => contributedAfter.flatMap((c) => (c.site === site ? [c.seconds] : []))).sort((a, b) => a - b)
  const lastPresent = fates.findLastIndex(({ fate }) => !isAbsent(fate))
  return {
    site,
    rounds: fates.length,
    in: fates.filter(({ fate }) => fate === 'in').length,
    missing: ABSENT.map((why) => ({ why, rounds: fates.filter(({ fate }) => fate === why).map(({ round }) => round) })).filter((m) => m.rounds.length > 0),
    missingRounds: fates.filter(({ fate }) => isAbsent(fate)).length,
    abstained: abstentions(fates),
    lastIn: fates.findLast(({ fate }) => fate === 'in')?.round ?? null,
    missingInARow: fates.length - 1 - lastPresent,
    led: numbers(({ leader }) => leader === site),
    published: rounds.reduce((sum, { publications }) => sum + publications.filter((p) => p.site === site).length, 0),
    thrownOut: numbers(({ publications }) => publications.some((p) => p.site === site && p.discarded === 'wrong sum')),
    passedOver: numbers(({ passedOver }) => passedOver.includes(site)),
    steppedOver: numbers(({ steppedOver }) => steppedOver.includes(site)),
    askedForTime: numbers(({ askedForTime }) => askedForTime === site),
    witnessed: numbers(({ witnessed }) => witnessed.includes(site)).length,
    attested: numbers(({ attested }) => attested.includes(site)).length,
    contributedAfter: after.length === 0 ? null : { median: after[(after.length - 1) >> 1] as number, longest: after.at(-1) as number },
  }
}

function abstentions(fates: readonly { readonly fate: Fate; readonly reason: AbstainReason | null; readonly round: RoundNo }[]): SitePart['abstained'] {
  const by = new Map<AbstainReason, RoundNo[]>()
  for (const { fate, reason, round } of fates) if (fate === 'abstained' && reason !== null) by.set(reason, [...(by.get(reason) ?? []), round])
  return [...by].map(([reason, rounds]) => ({ reason, rounds }))
}
