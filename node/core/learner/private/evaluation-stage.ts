import type { PrivateProtocol } from '#core/protocol/private-rounds.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Advance, Stage } from '../learner.ts'
import { predictorOf } from '../predict.ts'
import { problemOf } from '../problem.ts'
import type { Setup } from '../setup.ts'
import { modelOf } from '../state.ts'
import { numberMetrics, outcomeMetrics } from './score-metrics.ts'
import { releaseTest, testLength, testSensitivity } from './score-sums.ts'
import { noiseInSum, noisyLayout, noisyUpdate } from './stage.ts'

/** Last stage of a private study that tells test metrics: one release of the test rows, with noise of its own, charged as a round of the fit is. */
export function privateEvaluation(setup: Setup, protocol: PrivateProtocol, noise: number): Stage {
  const policy = { noise, rowsPerPatient: 1 }
  const isBinary = judgesOutcomes(protocol)
  const sensitivity = testSensitivity(isBinary, policy)
  const layout = noisyLayout(setup, protocol, testLength(isBinary), sensitivity, noise)
  return {
    layout,
    contribute: async (model, cohort, tools) => {
      const predict = predictorOf(model, protocol) ?? (() => Number.NaN)
      return noisyUpdate(
        setup,
        protocol,
        layout,
        cohort,
        tools,
        (patients, drawn) => releaseTest(setup, isBinary, cohort.test, patients, predict, policy, drawn),
        'test',
      )
    },
    advance(model, sum) {
      const deviation = noiseInSum(protocol, sensitivity, sum, noise)
      const test = isBinary ? outcomeMetrics(sum.at, deviation) : numberMetrics(sum.at, deviation, setup.labelHalf)
      return { model: modelOf(model.learner, 'done', { ...model.state, test }), status: 'finished' }
    },
  }
}

/** The same stage, but what it finishes goes on to be judged; not where there is no result to judge. */
export const thenEvaluated = (stage: Stage): Stage => ({
  ...stage,
  advance(model, sum): Advance {
    const next = stage.advance(model, sum)
    if (next.status !== 'finished' || problemOf(next.model) !== null) return next
    return { model: modelOf(next.model.learner, 'evaluation', next.model.state), status: 'continue' }
  },
})

/** Whether the model foretells how likely an outcome is, and not a number. */
export const judgesOutcomes = ({ label, learner }: Pick<Protocol, 'label' | 'learner'>): boolean => label.kind === 'binary' && learner.kind !== 'linear'
