import type { Random } from '#ports/host.ts'

/** Parts of the promised time. Withdrawals leave at the ends of these, at the same moments for all relays: several at once, from several relays. */
const SLOTS = 16
/** What is left of the promised time after the last that may be drawn is for a chain that is away, and for trying again. */
const DRAWN_SLOTS = 12

export interface Delay {
  /** Unix milliseconds. */
  readonly due: number
  readonly by: number
}

/**
 * When a withdrawal goes on chain. Drawn evenly, so that when it got there says little of when it was asked for.
 * @param promiseMs the longest that the programme's terms let a relay wait
 */
export function drawDelay(now: number, promiseMs: number, random: Random): Delay {
  const slot = Math.max(1, promiseMs / SLOTS)
  const drawn = now + fraction(random) * DRAWN_SLOTS * slot
  return { due: Math.ceil(Math.ceil(drawn / slot) * slot), by: Math.floor(now + promiseMs) }
}

/** Even in [0, 1), of 48 bits. */
const fraction = (random: Random): number => random.bytes(6).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 48
