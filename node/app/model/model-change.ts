import type { Model, ModelValue } from '#core/model/model.ts'

/** Largest move of a coefficient or weight between two models of one stage; null where the stage moves none. */
export function changeBetween(before: Model, after: Model): number | null {
  const [a, b] = [parameters(before), parameters(after)]
  if (a === null || b === null || a.length !== b.length) return null
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] as number) - (b[i] as number)))
  return most
}

function parameters(model: Model): ArrayLike<number> | null {
  if (model.stage !== 'fit' && model.stage !== 'evaluation') return null
  return numbers(model.state.coef) ?? floats(model.state.weights)
}

const numbers = (value: ModelValue | undefined): ArrayLike<number> | null =>
  Array.isArray(value) && value.every((x) => typeof x === 'number') ? (value as number[]) : null

const floats = (value: ModelValue | undefined): ArrayLike<number> | null =>
  value instanceof Uint8Array && value.length % 4 === 0 ? new Float32Array(value.slice().buffer) : null
