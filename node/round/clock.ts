import type { Limit } from '#core/protocol/protocol.ts'
import { type Head, PHASES, type RoundView, type StudyRules } from '#ports/chain.ts'

/** Deadlines are chain time: blocks and seconds. */
export type ChainTime = Pick<Head, 'number' | 'timestamp'>

/** The limit of the phase that the round is in. */
export const limitOf = (rules: StudyRules, round: RoundView): Limit => rules.limits[PHASES.indexOf(round.phase)] as Limit

/**
 * A limit has passed only when both its seconds and its blocks have. Deadlines are chain time. Where more than three places may
 * publish, one after each third, the phase lasts until the last has had its third: before that a tick would do nothing.
 */
export const limitPassed = (rules: StudyRules, round: RoundView, head: ChainTime): boolean =>
  thirdsPassed(rules, round, head) >= (round.phase === 'Publishing' ? Math.max(3, round.rota.length - round.firstPlace) : 3)

/** Whole thirds of the limit that have passed, in seconds and in blocks: place k of the rota may publish after k − 1 of them. */
export const thirdsPassed = (rules: StudyRules, round: RoundView, head: ChainTime): number => partsPassed(rules, round, head, 3)

/** Whole parts of the limit that have passed, in seconds and in blocks, when it is cut into `parts`. */
export const partsPassed = (rules: StudyRules, round: RoundView, head: ChainTime, parts: number): number => {
  const limit = limitOf(rules, round)
  const ofSeconds = Math.floor((parts * (head.timestamp - round.since.timestamp)) / limit.seconds)
  const ofBlocks = Math.floor((parts * (head.number - round.since.block)) / limit.blocks)
  return Math.max(0, Math.min(ofSeconds, ofBlocks))
}

/**
 * A chain that makes a block every few seconds is not silent; one that makes none until somebody calls is, after a second. Capped, so that a long rest is no excuse
 * for the next.
 * @param gapMs how long the block before had to wait; 0 while that is not known
 */
export const silenceMs = (gapMs: number): number => Math.min(15_000, Math.max(1_000, 1.5 * gapMs))
