/** Does `work` on each item, several under way at once, begun in order. @throws the first error, once what was under way has ended */
export async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  let failed = false
  const go = async () => {
    for (const item of queue) {
      if (failed) return
      await work(item)
    }
  }
  const all = Array.from({ length: Math.min(atOnce, items.length) }, () =>
    go().catch((error) => {
      failed = true
      throw error
    }),
  )
  const ended = await Promise.allSettled(all)
  for (const each of ended) if (each.status === 'rejected') throw each.reason
}
