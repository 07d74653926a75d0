import { type ErrorCode, RotaError } from '#base/errors.ts'
import type { Model, ModelState } from '../model/model.ts'
import type { Advance } from './learner.ts'
import { modelOf, record } from './state.ts'

/**
 * What a fit found that ends it without a result. `advance` does not throw in the middle of a run: all sites reach the same
 * finished model, whose state carries this, and each report throws or shows it.
 */
export interface Problem {
  readonly code: Extract<ErrorCode, `ROTA-22${string}`>
  /** The columns concerned, or the label. */
  readonly columns: readonly string[]
}

/** Ends the run with a problem; `state` keeps what is known so far. */
export const finishedWith = (learner: string, state: ModelState, problem: Problem): Advance => ({
  model: modelOf(learner, 'done', { ...state, problem: { code: problem.code, columns: [...problem.columns] } }),
  status: 'finished',
})

export function problemOf(model: Model): Problem | null {
  const problem = record(model.state, 'problem')
  return problem ? { code: problem.code as Problem['code'], columns: problem.columns as readonly string[] } : null
}

/** The problem as the error that a command shows, or null. */
export function problemError(model: Model): RotaError | null {
  const problem = problemOf(model)
  return problem ? new RotaError(problem.code, { columns: problem.columns.join(', ') }) : null
}
