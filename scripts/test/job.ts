import type { Tally } from './tally.ts'

/** What the pool runs as one piece: a file of tests, or a tool that tests. */
export interface Job {
  readonly group: string
  /** A file's path, or the group's name. */
  readonly name: string
  /** Waits for blocks and limits most of the time, so that it leaves a core to others. */
  readonly waits: boolean
  /** About how long it takes on two quiet cores. */
  readonly seconds: number
  /** @param write told all that it says */
  run(write: (text: string) => void): Promise<Tally>
}
