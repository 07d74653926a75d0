import type { RotaError } from '#base/errors.ts'
import type { RunId } from '#base/ids.ts'
import type { Progress } from '#round/progress.ts'
import type { Health } from '#web/health.ts'

/** What stands in a node's way now: `/healthz` answers 503 as long as there is any, and `rota status` shows it. */
export interface StandingTroubles {
  /** A run's trouble ends with its next step that is done, or with the run. */
  note(progress: Progress): void
  /** What is watched by itself, such as the clock. Null: it is over. */
  alarm(code: string, error: RotaError | null): void
  list(): Health['problems']
}

export function standingTroubles(): StandingTroubles {
  const ofRuns = new Map<RunId, { readonly code: string; readonly what: string }>()
  const alarms = new Map<string, string>()
  return {
    note(progress) {
      if (progress.kind === 'trouble') ofRuns.set(progress.run, { code: progress.code, what: progress.message })
      else if (progress.kind === 'step' || progress.kind === 'run-over') ofRuns.delete(progress.run)
    },
    alarm(code, error) {
      if (error === null) alarms.delete(code)
      else alarms.set(code, error.message)
    },
    list: () => [...[...alarms].map(([code, what]) => ({ code, what })), ...ofRuns.values()],
  }
}
