import { parentPort } from 'node:worker_threads'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyKind } from './chaos-study.ts'
import { playSeed } from './play-seed.ts'
import { reportOf, type SeedReport } from './report.ts'

/** What the pool asks of a thread, and what it answers. */
export interface Asked {
  readonly seed: number
  readonly sites: number | undefined
  readonly mode: Protocol['mode']
  readonly kind?: StudyKind | undefined
}
export type Answered = { readonly report: SeedReport } | { readonly seed: number; readonly error: string }

parentPort?.on('message', ({ seed, sites, mode, kind }: Asked) => {
  const say = (answer: Answered): void => parentPort?.postMessage(answer)
  playSeed(seed, sites, { mode, ...(kind === undefined ? {} : { kind }) }).then(
    (record) => say({ report: reportOf(record) }),
    (error) => say({ seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
