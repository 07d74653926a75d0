import type { LimitedPhase } from './protocol.ts'

/** Seconds and blocks that a limit has at least beyond one for each call of its phase, so that sites may act one after another by rank. */
const SLACK = 3
/** Of a slice, when a round opens. */
const CUSTODIANS = 3

/**
 * Seconds and blocks that a phase's limit has at least, with so many sites: contracts/libraries/StudyChecks.sol. Where each call makes a block, a second
 * later than the one before, the sites' own calls must not use a limit up. A site makes one in a phase; only witnesses make one for each slice
 * that they hold, and each of several slices has three. Where all of the rota witness all slices, that limit begins anew for each three of them.
 */
export const leastLimit = (phase: LimitedPhase, sites: number, slices: number): number =>
  SLACK + (phase === 'witnessing' && slices > 1 ? Math.max(sites, CUSTODIANS * slices) : sites)

/** The same of Keying in a masked study: up to half of it sites wait for each other's offers and deals, and then each makes its call. */
export const leastKeying = (sites: number): number => 2 * (sites + SLACK)
