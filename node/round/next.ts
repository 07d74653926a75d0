import { has, sizeOf } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { RoundView, RunView, StudyRules } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { type ChainTime, limitPassed, partsPassed, thirdsPassed } from './clock.ts'
import { isCustodian } from './custody.ts'

/**
 * What to do now: one pure table. Its rows are the protocol; a node that was killed reads chain and journal, calls this, and
 * goes on. The first row whose condition holds is done; after it is done the table is asked again.
 */
export function next(s: Situation): RowName {
  for (const row of ROWS) if (row.when(s)) return row.name
  return 'wait'
}

/** All that the decision may depend on. */
export interface Situation {
  readonly me: SiteId
  readonly rules: StudyRules
  /** This site's steward approved the study and has not withdrawn. */
  readonly approved: boolean
  readonly view: RunView
  readonly head: ChainTime
  /** Milliseconds since this node last saw the chain grow. */
  readonly chainSilentMs: number
  /** How long the block before had to wait: 0 while that is not known. */
  readonly chainGapMs: number
  /** This site's entries of the view's run and round. */
  readonly journal: readonly JournalEntry[]
  /** Of each slice, the contributed updates that this site holds whole and well-formed. */
  readonly held: readonly Bitmap[]
  /** What of a large sum's slices there is to say and to hear. */
  readonly slices: SliceWork
  /** The model that the round starts from is on this site. */
  readonly hasBase: boolean
  readonly resting: boolean
  /** Enough members are ready and hold a key together: a paused run goes on at the next call, whoever makes it. */
  readonly mayResume: boolean
  /** Exact run: the cohort is no longer the one this site contributed with. */
  readonly cohortChanged: boolean
}

/** Of a small sum, which everybody adds up, there is nothing to say, and all is settled. */
export interface SliceWork {
  /** This site's word is due: the others wait for what it adds up. */
  readonly owed: boolean
  /** Enough custodians said what the slices are that this site does not add up; or they differ, and it adds those up too. */
  readonly settledToPublish: boolean
  readonly settledToAttest: boolean
}

export type RowName = (typeof ROWS)[number]['name'] | 'wait'

/** Where `me` stands in the rota, counted from the turn: 0 leads, 1 and 2 stand by. −1 when not in it. */
export function placeOf(round: RoundView, me: SiteId): number {
  const index = round.rota.indexOf(me)
  return index < 0 ? -1 : (index - round.turn + round.rota.length) % round.rota.length
}

const journalled = (s: Situation, kind: JournalEntry['kind']): boolean => s.journal.some((entry) => entry.kind === kind)
const active = (s: Situation): boolean => s.view.state === 'Active' && s.approved
const inPhase = (s: Situation, phase: RoundView['phase']): boolean => active(s) && s.view.round.phase === phase
/** A chain that makes a block every few seconds is not silent; one that makes none until somebody calls is, after a second. Capped, so that a long rest is no excuse for the next. */
const silentTooLong = (s: Situation): boolean =>
  s.chainSilentMs >= Math.min(15_000, Math.max(1_000, 1.5 * s.chainGapMs)) + 250 * Math.max(0, placeOf(s.view.round, s.me))

function frozenChanged(s: Situation): boolean {
  const acted = s.journal.find((entry) => entry.kind === 'frozen')
  return acted !== undefined && s.view.round.included !== 0n && acted.included !== s.view.round.included
}

/** Slices whose custodian this site is, that it has not witnessed, and of which it holds all; or some, after a third of the limit. */
export function slicesToWitness(s: Situation): number[] {
  const { round } = s.view
  const patient = thirdsPassed(s.rules, round, s.head) < 1
  const ready = (held: Bitmap): boolean => (patient ? (held & round.contributed) === round.contributed : sizeOf(held) > 0)
  return s.held.flatMap((held, slice) => (isCustodian(round, s.me, slice) && !has(round.witnessed[slice] as Bitmap, s.me) && ready(held) ? [slice] : []))
}

/** So long custodians are waited for; then this site adds up what they owe. */
const waitedForWords = (s: Situation): boolean => partsPassed(s.rules, s.view.round, s.head, 6) >= 1

const mayPublish = (s: Situation): boolean => {
  const place = placeOf(s.view.round, s.me)
  return place >= s.view.round.firstPlace && place <= s.view.round.firstPlace + thirdsPassed(s.rules, s.view.round, s.head)
}

const notYet = (set: Bitmap, s: Situation): boolean => !has(set, s.me)

const ROWS = [
  // A set this node acted on has changed on chain: nothing that follows can be trusted. A person has to look.
  { name: 'halt-node', when: frozenChanged },
  // Refitting without one patient would show that patient: an exact run stops as soon as its cohort changes.
  { name: 'halt-run', when: (s) => active(s) && s.cohortChanged },
  // A round does not wait for who missed the last one: without this, a site that is a little slower than the others would never be in again.
  { name: 'ready', when: (s) => (s.view.state === 'Paused' ? s.approved : missed(s)) && !s.resting && notYet(s.view.ready, s) },
  // Whoever was ready before the members had a key again cannot say so once more: without this the run would stay paused for good.
  { name: 'tick', when: (s) => s.approved && s.view.state === 'Paused' && s.mayResume },
  // Whatever the phase was for is refused once its limit has passed, and a refused call moves nothing on: so this comes before it.
  { name: 'tick', when: (s) => active(s) && limitPassed(s.rules, s.view.round, s.head) },
  { name: 'rest', when: (s) => inPhase(s, 'Contributing') && s.resting && awaitsMe(s) && !journalled(s, 'contributed') },
  { name: 'adopt', when: (s) => s.approved && s.view.state !== 'Halted' && !s.hasBase },
  { name: 'contribute', when: (s) => inPhase(s, 'Contributing') && mayContribute(s) && !journalled(s, 'contributed') && !journalled(s, 'abstained') },
  // Journalled, yet not on chain: the node died in between, or the chain lost its last blocks.
  { name: 'contribute-again', when: (s) => inPhase(s, 'Contributing') && mayContribute(s) && journalled(s, 'contributed') },
  { name: 'abstain-again', when: (s) => inPhase(s, 'Contributing') && mayContribute(s) && !journalled(s, 'contributed') && journalled(s, 'abstained') },
  { name: 'witness', when: (s) => inPhase(s, 'Witnessing') && slicesToWitness(s).length > 0 },
  // Custodians of a large model's slices add theirs up and say what they got; nobody needs all updates.
  { name: 'tell-slices', when: (s) => (inPhase(s, 'Publishing') || inPhase(s, 'Attesting')) && s.slices.owed },
  { name: 'publish', when: (s) => inPhase(s, 'Publishing') && mayPublish(s) && (s.slices.settledToPublish || waitedForWords(s)) },
  {
    name: 'attest',
    when: (s) =>
      inPhase(s, 'Attesting') && has(s.view.round.included, s.me) && notYet(s.view.round.attested, s) && (s.slices.settledToAttest || waitedForWords(s)),
  },
  // Limits are counted in blocks too: where nobody else makes one, whoever waits does.
  { name: 'tick', when: (s) => active(s) && silentTooLong(s) },
] as const satisfies readonly { readonly name: string; readonly when: (s: Situation) => boolean }[]

const awaitsMe = (s: Situation): boolean => s.view.round.rota.includes(s.me) && notYet(s.view.round.contributed, s) && notYet(s.view.round.abstained, s)
const mayContribute = (s: Situation): boolean => !s.resting && awaitsMe(s)
/** The round went on without this site, which it had not awaited. */
const missed = (s: Situation): boolean => active(s) && s.view.round.phase !== 'Contributing' && awaitsMe(s) && notYet(s.view.round.awaited, s)

export const ROW_NAMES: readonly RowName[] = [...new Set(ROWS.map((row) => row.name)), 'wait']
