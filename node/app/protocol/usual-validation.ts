import type { Protocol, ValidationSpec } from '#core/protocol/protocol.ts'

/** A third of what knowing nothing of a binary label costs. */
const USUAL_TOLERANCE = 0.25
const USUAL_ROWS = 10

/** Where sites learn a sum alone they look at what came of it; an exact fit corrects itself, and what is private is not looked at. */
export function usualValidation({
  mode,
  learner,
  privacy,
  cohort,
}: Pick<Protocol, 'mode' | 'learner' | 'cohort'> & { readonly privacy?: unknown }): ValidationSpec | undefined {
  const isUsual = mode === 'masked' && privacy === undefined && 'algorithm' in learner && learner.algorithm === 'fedavg'
  return isUsual ? { tolerance: USUAL_TOLERANCE, minRows: Math.min(USUAL_ROWS, cohort.maxRows) } : undefined
}
