import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { StudyKind } from '../../../scripts/chaos/chaos-study.ts'
import type { Played } from './schedule.ts'

/** Schedules of seeds `from` on, and whether a node in each ignores the withdrawals. */
export interface Asked {
  readonly kind: StudyKind
  readonly from: number
  readonly count: number
  readonly sabotaged?: boolean
}

/**
 * Plays them one after the other, in a thread of their own: in its own thread node:test follows every promise, which makes a world in memory
 * a third slower.
 * @throws Error when one cannot be played
 */
export async function playSchedules(asked: Asked): Promise<readonly Played[]> {
  const thread = new Worker(new URL('./schedule-thread.ts', import.meta.url), { workerData: asked })
  try {
    const [played] = (await once(thread, 'message')) as [readonly Played[]]
    return played
  } finally {
    await thread.terminate()
  }
}
