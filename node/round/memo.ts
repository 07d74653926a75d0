/**
 * Remembers what was computed for a digest: the sum that a publisher added is not added again when it attests, and a
 * thousand simulated sites in one process verify each object once.
 */
export interface Memo {
  /** Other sites of the process get the same objects from it. */
  readonly isShared?: true
  once<T>(key: string, compute: () => Promise<T>): Promise<T>
  forget(key: string): void
}

/** Of what is large one result is kept, the latest, and only where other sites of the process want it too. */
export function keepLatest(memo: Memo, key: string): void {
  const before = latest.get(memo)
  if (before !== undefined && before !== key) memo.forget(before)
  latest.set(memo, key)
  if (memo.isShared !== true) memo.forget(key)
}

const latest = new WeakMap<Memo, string>()

/** Keeps the latest `limit` results; a failed computation is forgotten, so that the next caller tries again. */
export function createMemo(limit = 16): Memo {
  const results = new Map<string, Promise<unknown>>()
  return {
    forget: (key) => void results.delete(key),
    once<T>(key: string, compute: () => Promise<T>): Promise<T> {
      const known = results.get(key)
      if (known !== undefined) return known as Promise<T>
      const fresh = compute()
      results.set(key, fresh)
      fresh.catch(() => results.delete(key))
      const oldest = results.keys().next().value
      if (results.size > limit && oldest !== undefined) results.delete(oldest)
      return fresh
    },
  }
}
