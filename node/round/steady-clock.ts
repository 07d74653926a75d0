import type { Clock } from '#ports/host.ts'

/**
 * The same clock, but for setting it back: then it goes on from where it was. Rounds only measure how long something took; a node whose
 * clock was an hour fast would otherwise not look at its chain, its keys or a patient's withdrawal for an hour once that is corrected.
 */
export function steadyClock(clock: Clock): Clock {
  let last = Number.NEGATIVE_INFINITY
  let behindMs = 0
  return {
    nowMs() {
      const now = clock.nowMs() + behindMs
      if (now < last) behindMs += last - now
      last = Math.max(last, now)
      return last
    },
    sleep: (ms, signal) => clock.sleep(ms, signal),
  }
}
