import type { Model, ModelState, ModelValue } from '../model/model.ts'

/** Reads of a model's state. The state was made by the same learner, so a wrong kind is a broken programme, not bad input. */
export function num(state: ModelState, key: string): number {
  const value = state[key]
  if (typeof value !== 'number') throw new TypeError(`model state ${key} is no number`)
  return value
}

export function nums(state: ModelState, key: string): readonly number[] {
  const value = state[key]
  if (!Array.isArray(value)) throw new TypeError(`model state ${key} is no list`)
  return value as readonly number[]
}

export function bytesOf(state: ModelState, key: string): Uint8Array {
  const value = state[key]
  if (!(value instanceof Uint8Array)) throw new TypeError(`model state ${key} is no bytes`)
  return value
}

export function record(state: ModelState, key: string): ModelState | null {
  const value = state[key]
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array) ? (value as ModelState) : null
}

/** A list for a state: -0 becomes 0, since the model's encoding does not keep it. */
export const list = (values: ArrayLike<number>): number[] => Array.from(values, (x) => x + 0)

/** The next model of a run. Its refusals start anew: its bytes differ from its base's anyway. */
export const modelOf = (learner: string, stage: string, state: { readonly [key: string]: ModelValue }): Model => ({
  version: 1,
  learner,
  stage,
  refusals: 0,
  state: Object.fromEntries(Object.entries(state).map(([key, value]) => [key, typeof value === 'number' ? value + 0 : value])),
})
