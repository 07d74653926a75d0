import type { PrivateProtocol } from '#core/protocol/private-rounds.ts'
import type { RegressionSpec } from '#core/protocol/protocol.ts'
import type { Stage } from '../learner.ts'
import { finishedWith } from '../problem.ts'
import type { Setup } from '../setup.ts'
import { list, modelOf, num, nums } from '../state.ts'
import { advanceLogistic, logisticLength, logisticSensitivity, type PrivateLogisticPolicy, releaseLogistic } from './logistic.ts'
import { noiseInSum, noisyLayout, noisyUpdate } from './stage.ts'
import { upperTriangle } from './upper-triangle.ts'

/** Noisy Newton steps, as many as `maxIterations` says: under noise a fit never settles, and each step is spent. */
export function logisticStage(setup: Setup, protocol: PrivateProtocol): Stage {
  const spec = protocol.learner as RegressionSpec
  const policy = policyOf(protocol, 1)
  const sensitivity = logisticSensitivity(policy)
  const layout = noisyLayout(setup, protocol, logisticLength(setup.names.length), sensitivity)
  return {
    layout,
    contribute: async (model, cohort, tools) =>
      noisyUpdate(setup, protocol, layout, cohort, tools, (patients, noise) =>
        releaseLogistic(setup, cohort.train, patients, Float64Array.from(nums(model.state, 'coef')), policy, noise),
      ),
    advance(model, sum) {
      const before = Float64Array.from(nums(model.state, 'coef'))
      const { coef, covariance } = advanceLogistic(setup, before, sum.at, noiseInSum(protocol, sensitivity, sum), policyOf(protocol, sum.sites))
      if (!coef.every(Number.isFinite)) return finishedWith(model.learner, model.state, { code: 'ROTA-2204', columns: setup.names })
      const iteration = num(model.state, 'iteration') + 1
      const state = { ...model.state, iteration, coef: list(coef) }
      if (iteration < spec.maxIterations) return { model: modelOf(model.learner, 'fit', state), status: 'continue' }
      return { model: modelOf(model.learner, 'done', { ...state, covariance: upperTriangle(covariance, coef.length) }), status: 'finished' }
    },
  }
}

/** The penalty weighs as much as the loss of the fewest rows that so many sites have: how many there are is not told. */
const policyOf = ({ learner, privacy }: PrivateProtocol, sites: number): PrivateLogisticPolicy => ({
  noise: privacy.noise,
  rowsPerPatient: 1,
  rowNorm: privacy.clip,
  penalty: (learner as RegressionSpec).l2 * sites * privacy.minPatients,
})
