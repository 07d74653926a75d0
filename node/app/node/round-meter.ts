import type { RoundNo, RunId } from '#base/ids.ts'

export interface Moved {
  readonly bytesIn: number
  readonly bytesOut: number
  /** Processor time of its node, training apart. */
  readonly workMs: number
}

/**
 * What this site moved and worked while a round was the one that its node saw on chain: from its first sight of that round to its first
 * sight of the next. Several rounds may end between two looks of whoever tells them; each keeps its own.
 */
export interface RoundMeter {
  /** Where the totals come from, once there is a network. */
  connect(total: () => Moved): void
  see(run: RunId, round: RoundNo): void
  /** Nothing for a round that the node did not see. */
  of(run: RunId, round: RoundNo): Moved
}

const NOTHING: Moved = { bytesIn: 0, bytesOut: 0, workMs: 0 }
const KEPT_ROUNDS = 64

export function createRoundMeter(): RoundMeter {
  const marks = new Map<string, Moved>()
  let total = (): Moved => NOTHING
  return {
    connect(read) {
      total = read
    },
    see(run, round) {
      if (marks.has(`${run}/${round}`)) return
      marks.set(`${run}/${round}`, { ...total() })
      marks.delete(`${run}/${round - KEPT_ROUNDS}`)
    },
    of(run, round) {
      const start = marks.get(`${run}/${round}`)
      const end = marks.get(`${run}/${round + 1}`) ?? total()
      if (start === undefined) return NOTHING
      return { bytesIn: end.bytesIn - start.bytesIn, bytesOut: end.bytesOut - start.bytesOut, workMs: end.workMs - start.workMs }
    },
  }
}
