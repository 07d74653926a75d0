import { Worker } from 'node:worker_threads'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyKind } from './chaos-study.ts'
import type { SeedReport } from './report.ts'
import type { Answered, Asked } from './thread.ts'

/** Runs leave threads, worlds that wait for ever and all, after so many seeds, so that memory does not grow with their number. */
const SEEDS_A_THREAD = 400

export interface PoolOptions {
  readonly seeds: readonly number[]
  readonly sites: number | undefined
  readonly mode?: Protocol['mode']
  /** Default: the seed decides. */
  readonly kind?: StudyKind | undefined
  readonly threads: number
  readonly onReport?: (report: SeedReport) => void
}

/** Plays seeds, each in one of some threads; the reports come in the order of the seeds. @throws Error when a seed cannot be played */
export async function playSeeds({ seeds, sites, mode = 'open', kind, threads, onReport }: PoolOptions): Promise<readonly SeedReport[]> {
  const reports = new Map<number, SeedReport>()
  const waiting = [...seeds]
  const work = async (): Promise<void> => {
    while (waiting.length > 0)
      await inOneThread(waiting, { sites, mode, kind }, (report) => {
        reports.set(report.seed, report)
        onReport?.(report)
      })
  }
  await Promise.all(Array.from({ length: Math.min(threads, seeds.length) }, work))
  return seeds.map((seed) => reports.get(seed) as SeedReport)
}

async function inOneThread(waiting: number[], given: Omit<Asked, 'seed'>, done: (report: SeedReport) => void): Promise<void> {
  const thread = new Worker(new URL('./thread.ts', import.meta.url))
  try {
    for (let played = 0; played < SEEDS_A_THREAD; played++) {
      const seed = waiting.shift()
      if (seed === undefined) return
      const answer = await ask(thread, { seed, ...given })
      if ('error' in answer) throw new Error(`seed ${answer.seed} could not be played: ${answer.error}`)
      done(answer.report)
    }
  } finally {
    await thread.terminate()
  }
}

const ask = (thread: Worker, asked: Asked): Promise<Answered> =>
  new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('message', (answer: Answered) => {
      thread.off('error', reject)
      resolve(answer)
    })
    thread.postMessage(asked)
  })
