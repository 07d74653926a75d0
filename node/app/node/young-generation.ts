import { PerformanceObserver } from 'node:perf_hooks'
import v8 from 'node:v8'

/** Enough for a simulation; larger ones only save collections that take a millisecond. */
const MOST_BYTES = 32 * 1024 * 1024

/**
 * Keeps V8 from letting the space for new objects grow to 130 MB: it would be most of a node's memory, and rounds are no faster with
 * it. V8's own limit is a flag at the start of the process; by how much the space grows can be told it while it runs, and is told it
 * after each collection. When a process rests V8 makes the space small, and afterwards it may grow again.
 * @param mostBytes a power of two; work that collects several times without a pause may get to twice of it, until the next pause
 */
export function holdYoungGeneration(mostBytes = MOST_BYTES): void {
  if (factor !== 0) return
  // Until then it does not grow: whatever is loaded now stays, and is moved at once to where it does.
  grow(1)
  new PerformanceObserver(() => grow(2 * youngBytes() <= mostBytes ? 2 : 1)).observe({ entryTypes: ['gc'] })
}

/** 0 before the first call. */
let factor = 0

function grow(by: 1 | 2): void {
  if (by !== factor) v8.setFlagsFromString(`--semi-space-growth-factor=${by}`)
  factor = by
}

const youngBytes = (): number => v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
