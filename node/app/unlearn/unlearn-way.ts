import type { RoundNo } from '#base/ids.ts'
import type { Ancestor } from '#round/lineage.ts'

/**
 * How a model is had that a record had no part in: by fitting from the first round again (exact learners, or where the record was in from the
 * beginning), or by going back to the last model before it and training on from there.
 */
export type Way = { readonly kind: 'not needed' } | { readonly kind: 'again' } | { readonly kind: 'train on'; readonly from: Checkpoint }

export interface Checkpoint extends Ancestor {
  readonly round: RoundNo
}

/**
 * @param first round of the first cohort that held the record; null: none did
 * @param kept the run's models that can still be had, oldest first
 */
export function wayWithout(first: RoundNo | null, exact: boolean, kept: readonly Ancestor[]): Way {
  if (first === null) return { kind: 'not needed' }
  const before = kept.filter((model): model is Checkpoint => model.round !== null && model.round < first)
  const last = before.at(-1)
  return exact || last === undefined ? { kind: 'again' } : { kind: 'train on', from: last }
}
