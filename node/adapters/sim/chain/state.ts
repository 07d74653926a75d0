import { EMPTY } from '#base/bitmap.ts'
import { type Attempt, attemptNo, type SiteId } from '#base/ids.ts'
import type { Phase, RunState } from '#ports/chain.ts'
import type { Call } from './call.ts'
import type { Run } from './round.ts'

/** `site` null: no site's doing. Signals `ready` given before a pause are used up by it. */
export function changeState(run: Run, state: RunState, site: SiteId | null, reason: number, call: Call): Run {
  call.emit({ kind: 'RunStateChanged', run: run.id, state, site, reason })
  return { ...run, state, ready: state === 'Paused' ? EMPTY : run.ready }
}

/** A phase, attempt or extension begins now. */
export function beginPhase(run: Run, phase: Phase, call: Call, attempt: Attempt = attemptNo(run.round.attempt)): Run {
  call.emit({ kind: 'PhaseBegan', run: run.id, round: run.round.round, phase, attempt, began: call.hashOf(call.block) })
  return { ...run, round: { ...run.round, phase, attempt, since: { block: call.block, timestamp: call.timestamp } } }
}
