import type { Job } from './job.ts'
import type { Tally } from './tally.ts'

export interface Lanes {
  /** So many jobs of any kind at a time: one a core. */
  readonly working: number
  /** So many beside them that mostly wait. */
  readonly waiting: number
}

export interface Ended {
  readonly job: Job
  readonly tally: Tally
  /** All that it said. */
  readonly output: string
  readonly ms: number
}

/**
 * Runs jobs from one queue, the longest first. Working lanes take what computes, as long as there is any; waiting lanes take what mostly
 * waits, and nothing else. So the cores always have work, and a limit of some network never passes because too much computes beside it.
 * @param told of each job as it ends
 */
export async function runJobs(jobs: readonly Job[], { working, waiting }: Lanes, told: (ended: Ended) => void): Promise<void> {
  const queue = [...jobs].sort((a, b) => b.seconds - a.seconds)
  const lane = async (...kinds: readonly boolean[]): Promise<void> => {
    for (let job = take(queue, kinds); job !== undefined; job = take(queue, kinds)) told(await runOne(job))
  }
  await Promise.all([...times(waiting, () => lane(true)), ...times(working, () => lane(false, true))])
}

async function runOne(job: Job): Promise<Ended> {
  const started = performance.now()
  const said: string[] = []
  const tally = await job.run((text) => said.push(text))
  return { job, tally, output: said.join(''), ms: performance.now() - started }
}

/** The longest of the first kind, or of the next kind when there is none left. */
function take(queue: Job[], kinds: readonly boolean[]): Job | undefined {
  for (const waits of kinds) {
    const at = queue.findIndex((job) => job.waits === waits)
    if (at >= 0) return queue.splice(at, 1)[0]
  }
  return undefined
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
