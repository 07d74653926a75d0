import type { Clock } from '#ports/host.ts'

/** So many within a time, for each who asks: what a member can make another do is bounded by it. */
export interface Budget<Who> {
  /** Whether there is one left; takes it. */
  take(who: Who): boolean
}

export function createBudget<Who>(clock: Pick<Clock, 'nowMs'>, most: () => number, withinMs: number): Budget<Who> {
  const taken = new Map<Who, readonly number[]>()
  return {
    take(who) {
      const now = clock.nowMs()
      const recent = (taken.get(who) ?? []).filter((atMs) => now - atMs < withinMs)
      if (recent.length >= most()) return false
      taken.set(who, [...recent, now])
      return true
    },
  }
}
