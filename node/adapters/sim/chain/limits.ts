import { PHASES, type StudyRules } from '#ports/chain.ts'
import type { Moment, Round } from './round.ts'

/** PhaseClock.sol: time since the phase, attempt or extension began, in seconds and blocks at once. */
export function thirdsPassed(rules: StudyRules, round: Round, now: Moment, thirds: number): boolean {
  const limit = rules.limits[PHASES.indexOf(round.phase)] as StudyRules['limits'][number]
  const seconds = now.timestamp - round.since.timestamp
  const blocks = now.block - round.since.block
  return 3 * seconds >= thirds * limit.seconds && 3 * blocks >= thirds * limit.blocks
}

/** Publishing gives each place its third, so with many places its limit is longer than three. */
export const limitPassed = (rules: StudyRules, round: Round, now: Moment): boolean =>
  thirdsPassed(rules, round, now, round.phase === 'Publishing' ? Math.max(3, round.rota.length - round.firstPlace) : 3)
