import type { RoundNo, SiteId } from '#base/ids.ts'
import { ZERO_DIGEST } from '#base/ids.ts'
import type { EvidenceBytes } from '#core/commit/dispute-parts.ts'
import { type Call, revert } from './call.ts'
import { weigh } from './judge.ts'
import { thirdsPassed } from './limits.ts'
import { RING_ROUNDS, type Round, type Run, roundOf } from './round.ts'
import { changeState } from './state.ts'
import { discard, endSpent, type Membership, passOver } from './steps.ts'

/** One call of a dispute: evidence, and of an earlier part the leaves added so far. */
export interface Charge {
  readonly evidence: EvidenceBytes
  readonly done: number
  readonly partialSum: Uint8Array
}

/** Disputing.sol: keeps a partial sum, or strikes the publication. The caller has looked at the study and the site. */
export function disputed(run: Run, number: RoundNo, site: SiteId, { evidence, done, partialSum }: Charge, members: Membership, call: Call): Run {
  const { judged, closed } = standing(run, number, call)
  const { accumulator, included, publication } = judged
  const facts = { run: run.id, round: number, wordBits: run.rules.wordBits, accumulator, included, sumRoot: publication?.sumRoot ?? ZERO_DIGEST }
  const digest = weigh({ ...facts, kept: run.kept.get(site) ?? ZERO_DIGEST }, evidence, done, partialSum)
  const after = done > 0 || digest !== ZERO_DIGEST ? { ...run, kept: new Map(run.kept).set(site, digest) } : run
  return digest === ZERO_DIGEST ? strike(after, judged, closed, site, evidence.leaf, members, call) : after
}

/** The round whose publication stands, and whether it is closed. */
function standing(run: Run, number: RoundNo, call: Call): { readonly judged: Round; readonly closed: boolean } {
  const { round } = run
  if (run.state === 'Active' && number === round.round) {
    if (round.phase !== 'Attesting') revert('RoundCoordinator_WrongPhase', { run: run.id, round: number, phase: round.phase })
    return { judged: round, closed: false }
  }
  const judged = roundOf(run, number)
  const frozenSince = [round, ...run.past].some((later) => later.round > number && later.included !== 0n)
  if (judged === undefined || number !== run.closed || frozenSince || isOver(run, judged, call))
    return revert('RoundCoordinator_NotDisputable', { run: run.id, round: number })
  return { judged, closed: true }
}

/** A finished or ended run is disputed for one limit of Publishing. */
const isOver = (run: Run, last: Round, call: Call): boolean =>
  (run.state === 'Finished' || run.state === 'Ended') && thirdsPassed(run.rules, { ...last, phase: 'Publishing' }, call, 3)

function strike(run: Run, judged: Round, closed: boolean, site: SiteId, leaf: number, members: Membership, call: Call): Run {
  const { round, attempt, publication } = judged
  const { publisher } = publication as NonNullable<typeof publication>
  call.emit({ kind: 'Disputed', run: run.id, round, attempt, site, publisher, leaf })
  const passed = passOver(run, publisher)
  const stands = closed ? reopened(passed, judged, site, call) : passed
  // Closed once more, its place in the ring would be the next round's.
  const isLast = closed && run.opened + 1 === round + RING_ROUNDS
  if (stands.state === 'Active' && !isLast) return discard(stands, true, members, call)
  call.emit({ kind: 'PublicationDiscarded', run: run.id, round, attempt, publisher, wrongSum: true })
  return stands.state === 'Active' ? endSpent(stands, call) : stands
}

/** The run stands again where it stood when the round was being attested. A halted one stays halted. */
function reopened(run: Run, judged: Round, site: SiteId, call: Call): Run {
  const open = run.round
  if (run.state === 'Active') call.emit({ kind: 'RoundVoid', run: run.id, round: open.round, phase: open.phase })
  const back = { ...run, model: run.base ?? run.model, closedRounds: run.closedRounds - 1, closed: null }
  if (run.state === 'Halted') return back
  const past = [...run.past, open].filter((r) => r.round !== judged.round).sort((a, b) => a.round - b.round)
  const again = { ...back, round: judged, past, voidsInARow: 0 }
  return run.state === 'Active' ? again : changeState(again, 'Active', site, 0, call)
}
