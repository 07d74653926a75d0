import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { advanceEvaluation, evaluationLayout, SCORE_BINS } from '#core/learner/evaluation-stage.ts'
import { setupOf } from '#core/learner/setup.ts'
import type { Model, ModelState } from '#core/model/model.ts'
import { generatedStudy, LOGISTIC } from '../../support/studies.ts'

// given sums under masks that a site put numbers into which no rows have
// ├── the AUC stays between 0 and 1
// └── an error whose square is below nothing is none
const { protocol } = generatedStudy({ sites: 3 })
const MODEL: Model = { version: 1, learner: 'any', stage: 'evaluation', refusals: 0, state: {} }

function metricsOf(kind: 'logistic' | 'linear', words: Readonly<Record<number, number>>): ModelState {
  const setup = setupOf({ ...protocol, learner: { ...LOGISTIC, kind } })
  const { length } = evaluationLayout(setup)
  return advanceEvaluation(setup, MODEL, { sites: 3, length, at: (i) => words[i] ?? 0 }).model.state.test as ModelState
}

describe('metrics of a sum', () => {
  it('have an AUC between 0 and 1, whatever is in its bins', () => {
    const [positives, negatives] = [5, 5 + SCORE_BINS]
    const aucOf = (words: Readonly<Record<number, number>>) => metricsOf('logistic', { 0: 8, ...words }).aucHistogram
    assert.deepEqual(
      [
        aucOf({ [positives + 7]: 2, [positives + 2]: 2, [negatives + 2]: 4 }),
        aucOf({ [positives + 9]: 1e6, [positives]: 1 - 1e6, [negatives + 2]: 4 }),
        aucOf({ [positives + 9]: -1e6, [positives]: 1e6 + 1, [negatives + 2]: 4 }),
      ],
      [0.75, 1, 0],
    )
  })

  it('have no root of what is below nothing', () => {
    assert.deepEqual(
      [metricsOf('linear', { 0: 4, 5: 1 }).rmse, metricsOf('linear', { 0: 4, 5: -1 }).rmse, metricsOf('linear', { 0: -4, 5: 1 }).rmse].map(
        (rmse) => rmse !== null,
      ),
      [true, false, false],
    )
  })
})
