import type { Digest, RunId, SiteId } from '#base/ids.ts'
import type { Announce } from '#wire/announce.ts'

/** What members announced in the rounds that are under way: each may offer one object of a kind and attempt, so that nobody fills the others' disks. */
export interface Offers {
  /** Whether the round is near enough to matter, and this is the first object that the site offers there (or the same again). */
  take(from: SiteId, announced: Announce): boolean
}

/** Publications in a row. A masked round may have many rows, one after each pause: sums of those that are far from this one are not taken. */
const IN_A_ROW = 5

/**
 * @param rounds the round that each run is in; rounds more than one away are late or too early to matter
 * @param attempts of that round
 */
export function createOffers(rounds: ReadonlyMap<RunId, number>, attempts: ReadonlyMap<RunId, number>): Offers {
  const taken = new Map<RunId, Map<number, Map<string, Digest>>>()

  function ofRound(run: RunId, round: number, current: number): Map<string, Digest> {
    const ofRun = taken.get(run) ?? new Map<number, Map<string, Digest>>()
    taken.set(run, ofRun)
    for (const past of ofRun.keys()) if (past < current - 1) ofRun.delete(past)
    const known = ofRun.get(round) ?? new Map<string, Digest>()
    ofRun.set(round, known)
    return known
  }

  const isNear = (run: RunId, attempt: number, isCurrent: boolean): boolean => {
    const now = isCurrent ? (attempts.get(run) ?? 0) : 0
    return attempt > now - IN_A_ROW && attempt < now + IN_A_ROW
  }

  return {
    take(from, { kind, run, round, attempt, cid }) {
      const current = rounds.get(run)
      if (current === undefined) taken.delete(run)
      if (current === undefined || Math.abs(round - current) > 1) return false
      if (kind === 'update' ? attempt > 0 : !isNear(run, attempt, round === current)) return false
      const known = ofRound(run, round, current)
      const place = `${from} ${kind} ${attempt}`
      const first = known.get(place) ?? cid
      known.set(place, first)
      return first === cid
    },
  }
}
