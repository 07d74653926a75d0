import type { Clock } from '#ports/host.ts'

/** Several members may ask within a minute: what they ask for is measured once. */
const FRESH_MS = 60_000
const MOST_KNOWN = 512

/** Answers that take work, each worked out once a minute for all who ask. */
export interface FreshAnswers<T> {
  /** One at a time: two at once would measure each other. */
  get(key: string, work: () => Promise<T>): Promise<T>
}

/** @param keeps whether an answer stands for a minute: one that says what went wrong may be another at once */
export function createFresh<T>(clock: Pick<Clock, 'nowMs'>, keeps: (answer: T) => boolean = () => true): FreshAnswers<T> {
  const known = new Map<string, { readonly atMs: number; readonly answer: Promise<T> }>()
  let queue: Promise<unknown> = Promise.resolve()
  return {
    get(key, work) {
      const before = known.get(key)
      if (before !== undefined && clock.nowMs() - before.atMs < FRESH_MS) return before.answer
      const answer = queue.then(work)
      queue = answer.catch(() => undefined)
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(key, { atMs: clock.nowMs(), answer })
      answer.then(
        (value) => keeps(value) || known.delete(key),
        () => known.delete(key),
      )
      return answer
    },
  }
}
