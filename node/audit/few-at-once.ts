/** A store over the network is waited for, not computed: several questions at once, answers in order. */
export async function fewAtOnce<T, U>(items: readonly T[], find: (item: T) => Promise<U>): Promise<U[]> {
  const found: U[] = []
  const queue = items.entries()
  const work = async (): Promise<void> => {
    for (const [at, item] of queue) found[at] = await find(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return found
}

/** Of large objects each takes its size twice while it is opened. */
const AT_ONCE = 4
