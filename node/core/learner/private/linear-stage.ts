import type { PrivateProtocol } from '#core/protocol/private-rounds.ts'
import type { Stage } from '../learner.ts'
import { finishedWith } from '../problem.ts'
import type { Setup } from '../setup.ts'
import { list, modelOf } from '../state.ts'
import { fitLinear, linearLength, linearSensitivity, releaseLinear } from './linear.ts'
import { noiseInSum, noisyLayout, noisyUpdate } from './stage.ts'
import { upperTriangle } from './upper-triangle.ts'

/** One round, one release: it holds all that least squares need. */
export function linearStage(setup: Setup, protocol: PrivateProtocol): Stage {
  const { privacy } = protocol
  const policy = { noise: privacy.noise, rowsPerPatient: 1, rowNorm: privacy.clip }
  const sensitivity = linearSensitivity(policy)
  const layout = noisyLayout(setup, protocol, linearLength(setup.names.length), sensitivity)
  return {
    layout,
    contribute: async (_model, cohort, tools) =>
      noisyUpdate(setup, protocol, layout, cohort, tools, (patients, noise) => releaseLinear(setup, cohort.train, patients, policy, noise)),
    advance(model, sum) {
      const deviation = noiseInSum(protocol, sensitivity, sum)
      const { coef, covariance, residual, rows } = fitLinear(setup, sum.at, deviation)
      if (!coef.every(Number.isFinite)) return finishedWith(model.learner, model.state, { code: 'ROTA-2204', columns: setup.names })
      const { labelMiddle, labelHalf } = setup
      const state = {
        ...model.state,
        iteration: 1,
        rows,
        sigma2: residual * labelHalf * labelHalf,
        // In the label's unit, which the fit has over its range.
        coef: list(coef.map((c, j) => c * labelHalf + (j === 0 ? labelMiddle : 0))),
        covariance: upperTriangle(covariance, coef.length, labelHalf * labelHalf),
      }
      return { model: modelOf(model.learner, 'done', state), status: 'finished' }
    },
  }
}
