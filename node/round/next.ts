import { has, sizeOf } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { RoundView, RunView, StudyRules } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { type ChainTime, limitPassed, partsPassed, silenceMs, thirdsPassed } from './clock.ts'
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
  /** It may say that it is there, as far as pauses before this one tell. */
  readonly mayBeReady?: boolean
  /** Enough members are ready and hold a key together: a paused run goes on at the next call, whoever makes it. */
  readonly mayResume: boolean
  /** Exact run: the cohort is no longer the one this site began it with. */
  readonly cohortChanged: boolean
  /** The row that this site did when it last looked at this round; null at its first look. */
  readonly last?: string | null
  /** Exact study in which others halt for a site: what there is to say and to do about that. */
  readonly wish?: WishWork | null
  /** Masked study: what this site has to do with keys and shares, and may do with its update. Without it, while the log is behind, nothing leaves the site. */
  readonly masking?: MaskingWork | null
  /** A masked sum was refused, and people have to look before this site takes part again. */
  readonly heldBack?: boolean
  /** It called a sum wrong that stands, and can show it: time to try, or to try again. */
  readonly disputeDue?: boolean
  /** Accounted study: this round is not charged to the site's dataset yet. */
  readonly owesCharge?: boolean
}

/** Of a run that is halted by whoever leads, so that the call does not show whose patients changed. */
export interface WishWork {
  /** It is time to say again whether this site has that wish; all do, all the time. */
  readonly due: boolean
  /** It said that it has. */
  readonly own: boolean
  /** How long it has known of somebody's, by its own clock; null: nobody has one. */
  readonly knownMs: number | null
}

/** Of a masked round. */
export interface MaskingWork {
  /** The others wait for this site's keys, or may not have heard of them. */
  readonly offerDue: boolean
  /** All offered their keys, or patience is over: the secrets can be shared out. */
  readonly dealDue: boolean
  /** All deals that could be had are here, or patience is over. */
  readonly keyDue: boolean
  /** Who keyed stands, and some of them may lack this site's deal. */
  readonly justifyDue: boolean
  /** This site cannot be in the round: its secrets are gone, or it shares masks with too few. */
  readonly sitsOut: boolean
  /** More shares of its secrets are public than the round bears: its update would not be hidden. */
  readonly shownTooMany: boolean
  /** It is not in this round, and would be awaited in the next. */
  readonly wantsNext: boolean
  /** All masks of its update are at hand. */
  readonly mayMask: boolean
  /** The frozen set's sum can be unmasked when all of it answer. */
  readonly canBeUnmasked: boolean
  /** The others wait for this site's shares, or may not have heard them. */
  readonly releaseDue: boolean
  /** Enough shares of each are here. */
  readonly mayUnmask: boolean
  /** This site showed shares for another set of updates of the same model. */
  readonly releasedOther: boolean
  /** Keys or shares of the next round can be sent already. */
  readonly aheadDue: boolean
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

/** A leader that is there has called by then, and its call is on chain: two blocks. */
const patienceMs = ({ chainGapMs }: Situation): number => Math.min(30_000, Math.max(3_000, 2 * chainGapMs))

/** The leader, then each standby, and at last who has the wish: that one would be seen. */
function haltsNow(s: Situation): boolean {
  const { wish } = s
  if (wish == null) return s.cohortChanged
  if (wish.knownMs === null) return false
  const place = placeOf(s.view.round, s.me)
  const standsBy = place >= 0 && place <= STANDBYS
  return (standsBy || wish.own) && wish.knownMs >= patienceMs(s) * (standsBy ? place : STANDBYS + 1)
}

const STANDBYS = 2

const journalled = (s: Situation, kind: JournalEntry['kind']): boolean => s.journal.some((entry) => entry.kind === kind)
const active = (s: Situation): boolean => s.view.state === 'Active' && s.approved
const inPhase = (s: Situation, phase: RoundView['phase']): boolean => active(s) && s.view.round.phase === phase
/** One after another: the first call is enough for all. */
const silentTooLong = (s: Situation): boolean => s.chainSilentMs >= silenceMs(s.chainGapMs) + 250 * Math.max(0, placeOf(s.view.round, s.me))

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

/** What is only said again is never done twice in a row: where a look takes longer than the others are given to hear it, nothing else would be done any more. */
const inTurn = (row: 'advertise' | 'tell-slices' | 'release', s: Situation): boolean => s.last !== row

const ROWS = [
  // A set this node acted on has changed on chain: nothing that follows can be trusted. A person has to look.
  { name: 'halt-node', when: frozenChanged },
  // Two sums that differ by one site's update would show that update.
  { name: 'halt-node', when: (s) => s.masking?.releasedOther === true },
  // Refitting without one patient would show that patient: an exact run stops as soon as its cohort changes.
  { name: 'halt-run', when: (s) => active(s) && haltsNow(s) },
  { name: 'wish', when: (s) => active(s) && s.wish?.due === true },
  // While it is attested, and after others closed the round on it. A try that does not come through is made again later: meanwhile the rest goes on.
  { name: 'dispute', when: (s) => s.approved && s.disputeDue === true },
  // A round does not wait for who missed the last one: without this, a site that is a little slower than the others would never be in again. A set that was
  // published in vain again and again is waited for longer each time.
  {
    name: 'ready',
    when: (s) =>
      (s.view.state === 'Paused' ? s.approved && s.mayBeReady !== false : missed(s) || (active(s) && s.masking?.wantsNext === true)) &&
      !s.resting &&
      s.heldBack !== true &&
      !hasSpent(s) &&
      notYet(s.view.ready, s),
  },
  // Whoever was ready before the members had a key again cannot say so once more: without this the run would stay paused for good.
  { name: 'tick', when: (s) => s.approved && s.view.state === 'Paused' && s.mayResume },
  // Whatever the phase was for is refused once its limit has passed, and a refused call moves nothing on: so this comes before it.
  { name: 'tick', when: (s) => active(s) && limitPassed(s.rules, s.view.round, s.head) },
  { name: 'rest', when: (s) => isOpen(s) && s.resting && awaitsMe(s) && !journalled(s, 'contributed') },
  { name: 'adopt', when: (s) => s.approved && s.view.state !== 'Halted' && !s.hasBase },
  { name: 'hold-back', when: (s) => isOpen(s) && s.heldBack === true && awaitsMe(s) && !journalled(s, 'contributed') && !journalled(s, 'abstained') },
  // Masked: keys first. Each site offers its own, shares its secrets out to all that did, and says on chain whose shares it holds.
  { name: 'sit-out', when: (s) => isOpen(s) && awaitsMe(s) && s.masking?.sitsOut === true && !journalled(s, 'contributed') && !journalled(s, 'abstained') },
  { name: 'advertise', when: (s) => mayKey(s) && s.masking?.offerDue === true && inTurn('advertise', s) },
  { name: 'deal', when: (s) => mayKey(s) && s.masking?.dealDue === true },
  { name: 'key', when: (s) => mayKey(s) && s.masking?.keyDue === true && notYet(s.view.round.keyed, s) && !journalled(s, 'keyed') },
  { name: 'key-again', when: (s) => mayKey(s) && notYet(s.view.round.keyed, s) && journalled(s, 'keyed') },
  { name: 'justify', when: (s) => inPhase(s, 'Keying') && s.masking?.justifyDue === true && notYet(s.view.round.abstained, s) },
  // Before anything is trained, and again where the chain lost it: nothing leaves the site that is not paid for.
  { name: 'charge', when: (s) => inPhase(s, 'Contributing') && mayContribute(s) && s.owesCharge === true && !journalled(s, 'abstained') },
  {
    name: 'contribute',
    when: (s) => inPhase(s, 'Contributing') && mayContribute(s) && mayMask(s) && !journalled(s, 'contributed') && !journalled(s, 'abstained'),
  },
  // Journalled, yet not on chain: the node died in between, or the chain lost its last blocks.
  { name: 'contribute-again', when: (s) => inPhase(s, 'Contributing') && mayContribute(s) && isShown(s) && isHidden(s) && journalled(s, 'contributed') },
  { name: 'abstain-again', when: (s) => isOpen(s) && !s.resting && awaitsMe(s) && !journalled(s, 'contributed') && journalled(s, 'abstained') },
  { name: 'witness', when: (s) => inPhase(s, 'Witnessing') && slicesToWitness(s).length > 0 },
  // Custodians of a large model's slices add theirs up and say what they got; nobody needs all updates.
  { name: 'tell-slices', when: (s) => (inPhase(s, 'Publishing') || inPhase(s, 'Attesting')) && s.slices.owed && inTurn('tell-slices', s) },
  {
    name: 'publish',
    when: (s) => inPhase(s, 'Publishing') && mayPublish(s) && isUnmasked(s, 'canBeUnmasked') && (s.slices.settledToPublish || waitedForWords(s)),
  },
  // The one way in which shares leave: for the frozen set, once its masked sum stands on chain. Whoever keyed has some, be its own update in the set or not.
  {
    name: 'release',
    when: (s) => inPhase(s, 'Attesting') && s.masking?.releaseDue === true && inTurn('release', s),
  },
  {
    name: 'attest',
    when: (s) =>
      inPhase(s, 'Attesting') &&
      has(s.view.round.included, s.me) &&
      notYet(s.view.round.attested, s) &&
      isUnmasked(s, 'mayUnmask') &&
      (s.slices.settledToAttest || waitedForWords(s)),
  },
  // While the others are at work: what the next round begins with.
  { name: 'prepare', when: (s) => active(s) && !s.resting && s.masking?.aheadDue === true },
  // Limits are counted in blocks too: where nobody else makes one, whoever waits does.
  { name: 'tick', when: (s) => active(s) && silentTooLong(s) },
] as const satisfies readonly { readonly name: string; readonly when: (s: Situation) => boolean }[]

const awaitsMe = (s: Situation): boolean => s.view.round.rota.includes(s.me) && notYet(s.view.round.contributed, s) && notYet(s.view.round.abstained, s)
const isOpen = (s: Situation): boolean => inPhase(s, 'Keying') || inPhase(s, 'Contributing')
const mayKey = (s: Situation): boolean => inPhase(s, 'Keying') && !s.view.round.justifying && !s.resting && awaitsMe(s) && !journalled(s, 'abstained')
const isMasked = (s: Situation): boolean => s.rules.mode === 'masked'
const mayContribute = (s: Situation): boolean => !s.resting && awaitsMe(s) && (!isMasked(s) || has(s.view.round.keyed, s.me))
/** The log has all keys of the round: which masks its update has can be told. */
const isShown = (s: Situation): boolean => !isMasked(s) || s.masking != null
/** Not more of its shares are public, of this fork and of those that the chain has lost, than the round bears. */
const isHidden = (s: Situation): boolean => s.masking?.shownTooMany !== true
const mayMask = (s: Situation): boolean => !isMasked(s) || s.masking?.mayMask === true
const isUnmasked = (s: Situation, how: 'canBeUnmasked' | 'mayUnmask'): boolean => !isMasked(s) || s.masking?.[how] === true
/** Its dataset has no privacy left for this study: a run that waits for such sites stays paused. */
const hasSpent = (s: Situation): boolean => s.journal.some((entry) => entry.kind === 'abstained' && entry.reason === 'privacySpent')
/** The round went on without this site, which it had not awaited. */
const missed = (s: Situation): boolean => active(s) && (isMasked(s) || !isOpen(s)) && awaitsMe(s) && notYet(s.view.round.awaited, s)

export const ROW_NAMES: readonly RowName[] = [...new Set(ROWS.map((row) => row.name)), 'wait']
