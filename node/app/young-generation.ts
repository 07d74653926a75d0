import v8 from 'node:v8'

/** Twice what survives at once in a node; larger ones only save collections that take a millisecond. */
const ENOUGH_BYTES = 16 * 1024 * 1024
const LOOK_MS = 20

/**
 * Keeps V8 from letting the space for new objects grow to 130 MB: it would be most of a node's memory, and rounds are no faster with
 * it. V8's own limit is a flag at the start of the process; how much the space grows by can be told it while it runs.
 */
export function holdYoungGeneration(): void {
  if (holding !== undefined) return
  holding = setInterval(() => {
    if (youngBytes() < ENOUGH_BYTES) return
    v8.setFlagsFromString('--semi-space-growth-factor=1')
    clearInterval(holding)
  }, LOOK_MS)
  holding.unref()
}

let holding: NodeJS.Timeout | undefined

const youngBytes = (): number => v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
