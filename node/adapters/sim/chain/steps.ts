import { EMPTY } from '#base/bitmap.ts'
import { attemptNo, type Bitmap, type SiteId, type StudyId } from '#base/ids.ts'
import type { ModelRef } from '#ports/chain.ts'
import { common, countOf, isMajority, union, without } from './bits.ts'
import type { Call } from './call.ts'
import { allHeard, allSettled, canExtend, extended, standing } from './custodians.ts'
import { limitPassed } from './limits.ts'
import { openNext, type Rota } from './opening.ts'
import { placeOf, type Round, type Run, siteAt } from './round.ts'
import { beginPhase, changeState } from './state.ts'
import { type Count, majorityOf } from './tally.ts'

/** What the coordinator reads of the study's members. */
export interface Membership {
  rotaNow(study: StudyId): Rota
  /** Approved and not withdrawn, active or not. */
  approvals(study: StudyId): Bitmap
  membersNow(study: StudyId): Bitmap
}

/** A site that missed its turn to publish is stepped over so many times. */
const TURNS_PASSED_OVER = 3
const VOIDS_BEFORE_PAUSE = 3
const MAX_PUBLICATIONS = 5
/** Of a masked round that stays, over all its pauses. */
const MOST_WHILE_IT_STAYS = 240
/** Masked: before the limit no sum over fewer sites than this is begun. */
const FEWEST_KEYED = 5

/** Makes the step of the phase's limit if it has passed: one step at most, since the next phase begins with this call. */
export function stepAtLimit(run: Run, members: Membership, call: Call): Run {
  if (run.state !== 'Active' || !limitPassed(run.rules, run.round, call)) return run
  switch (run.round.phase) {
    case 'Publishing':
      return voidRound(passOver(run, siteAt(run.round, run.round.firstPlace)), members, call)
    case 'Attesting':
      return discard(run, false, members, call)
    case 'Witnessing':
      return endWitnessing(run, members, call)
    case 'Keying':
      return run.round.justifying ? endJustifying(run, members, call) : endKeying(run, members, call)
    default:
      return countOf(run.round.contributed) >= enough(run) ? beginPhase(run, 'Witnessing', call) : voidRound(run, members, call)
  }
}

const endKeying = (run: Run, members: Membership, call: Call): Run =>
  countOf(run.round.keyed) < enough(run) ? voidRound(run, members, call) : endHeld(run, call)

/** Who said nothing is waited for no more, in this round and the next. */
function endJustifying(run: Run, members: Membership, call: Call): Run {
  const { keyed, justified, awaited } = run.round
  const abstained = union(run.round.abstained, without(keyed, justified))
  return endJustified({ ...run, round: { ...run.round, abstained, awaited: common(awaited, justified) } }, members, call)
}

/** Who keyed may only become fewer from here on: where too few are left, nobody trains for what must come to nothing. */
const endJustified = (run: Run, members: Membership, call: Call): Run =>
  countOf(without(run.round.keyed, run.round.abstained)) < enough(run) ? voidRound(run, members, call) : beginContributing(run, call)

/** How many have to be in. Of masked updates so many that the frozen set can rebuild the secrets of those who dropped out. */
const enough = ({ rules, round }: Run): number => Math.max(rules.quorum, round.threshold)

/** Keying ends early when nobody is awaited any more. */
export function afterKeying(run: Run, members: Membership, call: Call): Run {
  const { awaited, keyed, abstained, justifying, justified } = run.round
  const approved = members.approvals(run.study) & ~abstained
  if (justifying) return (keyed & approved & ~justified) === 0n ? endJustified(run, members, call) : run
  const missing = awaited & approved & ~keyed
  return missing === 0n && countOf(keyed) >= Math.max(enough(run), FEWEST_KEYED) ? endHeld(run, call) : run
}

/** From here on who keyed never changes. Where they hold different deals, these are justified first. */
function endHeld(run: Run, call: Call): Run {
  if (run.round.held !== null) return beginContributing(run, call)
  return beginPhase({ ...run, round: { ...run.round, justifying: true, justified: EMPTY } }, 'Keying', call)
}

const beginContributing = (run: Run, call: Call): Run =>
  beginPhase({ ...run, round: { ...run.round, awaited: common(run.round.awaited, run.round.keyed), justifying: false } }, 'Contributing', call)

/** Contributing ends early when nobody is awaited any more. */
export function afterContributing(run: Run, members: Membership, call: Call): Run {
  const { awaited, contributed, abstained } = run.round
  const missing = awaited & members.approvals(run.study) & ~contributed & ~abstained
  return missing === 0n && countOf(contributed) >= enough(run) ? beginPhase(run, 'Witnessing', call) : run
}

export const afterWitness = (run: Run, members: Membership, call: Call): Run => (allSettled(run.round) ? freeze(run, members, call) : run)

const endWitnessing = (run: Run, members: Membership, call: Call): Run => (allHeard(run.round) ? freeze(run, members, call) : askMore(run, members, call))

/** Once in a round: who is in. */
function freeze(run: Run, members: Membership, call: Call): Run {
  const included = common(standing(run.round), members.approvals(run.study))
  if (countOf(included) < enough(run)) return askMore(run, members, call)
  call.emit({ kind: 'Frozen', run: run.id, round: run.round.round, included, accumulator: run.round.accumulator })
  return beginPhase({ ...run, round: { ...run.round, included } }, 'Publishing', call)
}

/** Custodians that are cut off together, or lie together, must not void what others could bear out. */
function askMore(run: Run, members: Membership, call: Call): Run {
  const approved = common(run.round.contributed, members.approvals(run.study))
  if (countOf(approved) < enough(run) || !canExtend(run.round)) return voidRound(run, members, call)
  return beginPhase({ ...run, round: extended(run.round) }, 'Witnessing', call)
}

/** Whoever published in place of the first in turn: that one missed it. */
export function afterPublication(run: Run, publisher: SiteId, call: Call): Run {
  const first = siteAt(run.round, run.round.firstPlace)
  return beginPhase(publisher === first ? run : passOver(run, first), 'Attesting', call)
}

export function afterAttestation(run: Run, members: Membership, call: Call): Run {
  const included = countOf(run.round.included)
  const winner = majorityOf(run.round.tally, included)
  if (winner !== undefined) return decide(run, winner, members, call)
  // No tuple has a majority and none will.
  return countOf(run.round.attested) === included ? discard(run, false, members, call) : run
}

function decide(run: Run, winner: Count, members: Membership, call: Call): Run {
  if (winner.status === 'refused') return refuseRound(run, winner.model, members, call)
  if (winner.status === 'wrongSum') return discard(run, true, members, call)
  return closeRound(run, winner.model, winner.status, members, call)
}

function closeRound(run: Run, model: ModelRef, status: 'continue' | 'finished', members: Membership, call: Call): Run {
  const { round, attempt } = run.round
  call.emit({ kind: 'RoundClosed', run: run.id, round, attempt, status, modelRoot: model.root, modelCid: model.cid })
  const closed = { ...withBase(run, call), model, closedRounds: run.closedRounds + 1, voidsInARow: 0 }
  if (status === 'finished') return changeState(closed, 'Finished', null, 0, call)
  if (closed.closedRounds >= run.rules.maxRounds) return changeState(closed, 'Finished', null, 1, call)
  return openNext(closed, members.rotaNow(run.study), call)
}

/** A dispute may still strike a round of masked vectors; then the run goes back to this model. */
function withBase(run: Run, { block, timestamp }: Call): Run {
  if (run.rules.mode !== 'masked') return run
  return { ...run, base: run.model, closed: run.round.round, round: { ...run.round, since: { block, timestamp } } }
}

function refuseRound(run: Run, model: ModelRef, members: Membership, call: Call): Run {
  const { round, attempt } = run.round
  call.emit({ kind: 'RoundRefused', run: run.id, round, attempt, modelRoot: model.root, modelCid: model.cid })
  return openNext({ ...run, model, voidsInARow: 0 }, members.rotaNow(run.study), call)
}

/** The place after the publisher's publishes next, unless publications or places are spent. Those of a round that stays are counted on. */
export function discard(run: Run, wrongSum: boolean, members: Membership, call: Call): Run {
  const { round, attempt, publication, publications, rowStart, rota } = run.round
  const publisher = (publication as NonNullable<typeof publication>).publisher
  call.emit({ kind: 'PublicationDiscarded', run: run.id, round, attempt, publisher, wrongSum })
  const firstPlace = placeOf(run.round, publisher) + 1
  if (publications - rowStart === Math.min(rota.length, MAX_PUBLICATIONS) || firstPlace >= rota.length) return voidRound(run, members, call)
  return beginPhase({ ...run, round: { ...run.round, firstPlace } }, 'Publishing', call, attemptNo(attempt + 1))
}

/** What was frozen and came to nothing may have been held by liars alone: then all of the rota is asked at once. */
function voidRound(run: Run, members: Membership, call: Call): Run {
  if (isRevealed(run)) return keepRound(run, call)
  const voided = { ...run, voidsInARow: run.voidsInARow + 1 }
  const isLast = voided.voidsInARow >= VOIDS_BEFORE_PAUSE
  const { round, phase } = run.round
  call.emit({ kind: 'RoundVoid', run: run.id, round, phase })
  if (isLast) return changeState(voided, 'Paused', null, 0, call)
  const deep = run.round.deep || phase === 'Publishing' || phase === 'Attesting'
  return openNext(voided, members.rotaNow(run.study), call, deep)
}

/** A masked sum of the model was published: no other set of its updates may be unmasked beside it. */
const isRevealed = (run: Run): boolean => run.revealed.has(run.model.root)

/** Nothing can come of a masked sum that is published. */
export const endSpent = (run: Run, call: Call): Run => changeState(run, 'Ended', null, 0, call)

/** A row of a round's publications is spent. Whoever could unmask it may be away: it waits for them, and is published anew, as often as attempts can be counted. */
function keepRound(run: Run, call: Call): Run {
  const { phase, attempt, publications } = run.round
  const next = attemptNo(phase === 'Attesting' ? attempt + 1 : attempt)
  if (next + MAX_PUBLICATIONS > MOST_WHILE_IT_STAYS) return endSpent(run, call)
  const round: Round = { ...run.round, phase: 'Publishing', attempt: next, firstPlace: 0, rowStart: publications }
  return changeState({ ...run, round }, 'Paused', null, 2, call)
}

/**
 * `site` null: nobody's doing. A pause ends once more than half of the study's members are ready and enough sites would stand in
 * the rota; who was slow to say so is waited for as well. A round that stayed goes on once so many of those who keyed are ready that they can unmask it; where so
 * many are members no more, nothing can come of the run.
 */
export function endPause(run: Run, site: SiteId | null, members: Membership, call: Call): Run {
  if (run.state !== 'Paused') return run
  const now = members.membersNow(run.study)
  const rota = members.rotaNow(run.study)
  const there = common(run.ready, now)
  if (!isMajority(countOf(there), countOf(now))) return run
  const { keyed, phase, threshold } = run.round
  const stays = phase === 'Publishing' && isRevealed(run)
  if (stays && countOf(common(keyed, now)) < threshold) return endSpent(run, call)
  if (countOf(rota.sites) < run.rules.minSites || (stays && countOf(common(keyed, there)) < threshold)) return run
  if (stays) return beginPhase(changeState(run, 'Active', site, 0, call), 'Publishing', call)
  return openNext(changeState({ ...run, voidsInARow: 0, ready: rota.sites }, 'Active', site, 0, call), rota, call)
}

export const passOver = (run: Run, site: SiteId): Run => ({ ...run, passedOver: new Map(run.passedOver).set(site, TURNS_PASSED_OVER) })
