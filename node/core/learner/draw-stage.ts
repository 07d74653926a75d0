import type { Model } from '../model/model.ts'
import { layoutOf } from '../ring/layout.ts'
import type { VectorLayout } from '../ring/vectors.ts'
import type { Stage } from './learner.ts'
import type { Setup } from './setup.ts'

/**
 * First stage of a study in groups: sites send the salt of a vector, and no number. By the salt of the sum the groups of the study are drawn
 * (core/masking/drawn-groups.ts), which is not for the learner to do: nothing here is of anybody's rows.
 */
export const drawStage = (setup: Setup, first: () => Model): Stage => ({
  layout: drawLayout(setup),
  contribute: async () => ({ kind: 'exact', layout: drawLayout(setup), coordinates: new BigInt64Array(0) }),
  advance: () => ({ model: first(), status: 'continue' }),
})

export const drawLayout = ({ wordBits }: Setup): VectorLayout => layoutOf('exact', wordBits, [])

export const DRAW = 'draw'
