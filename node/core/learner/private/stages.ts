import type { Sha256 } from '#base/bytes.ts'
import type { Model } from '#core/model/model.ts'
import type { PrivateProtocol } from '#core/protocol/private-rounds.ts'
import type { RegressionSpec } from '#core/protocol/protocol.ts'
import type { Stage } from '../learner.ts'
import type { Setup } from '../setup.ts'
import { list, modelOf } from '../state.ts'
import { privateEvaluation, thenEvaluated } from './evaluation-stage.ts'
import { linearSensitivity } from './linear.ts'
import { linearStage } from './linear-stage.ts'
import { logisticSensitivity } from './logistic.ts'
import { logisticStage } from './logistic-stage.ts'
import { initialNetwork, networkStage } from './network-stage.ts'
import { statisticsSensitivity } from './statistics.ts'
import { privateStatisticsStage } from './statistics-stage.ts'

/**
 * A private study has its fit, and an evaluation where it tells test metrics: nothing else of the rows is told. Features are mapped from their ranges to
 * [-1, 1], which needs no moments of rows.
 */
export function privateStages(setup: Setup, protocol: PrivateProtocol): Readonly<Record<string, Stage>> {
  if (protocol.learner.kind === 'statistics') return { statistics: privateStatisticsStage(setup, protocol) }
  const fit = fitStage(setup, protocol)
  const { metrics } = protocol.privacy
  return metrics === undefined ? { fit } : { fit: thenEvaluated(fit), evaluation: privateEvaluation(setup, protocol, metrics) }
}

function fitStage(setup: Setup, protocol: PrivateProtocol): Stage {
  const { kind } = protocol.learner
  if (kind === 'linear') return linearStage(setup, protocol)
  return kind === 'neural' ? networkStage(setup, protocol) : logisticStage(setup, protocol)
}

/** The model that the first round starts from: made of the protocol alone. */
export function initialPrivate(setup: Setup, protocol: PrivateProtocol, name: string, sha256: Sha256): Model {
  const { kind } = protocol.learner
  if (kind === 'statistics') return modelOf(name, 'statistics', {})
  if (kind === 'neural') return initialNetwork(setup, protocol, name, sha256)
  return modelOf(name, 'fit', {
    ...rangeScale(setup),
    iteration: 0,
    ...(kind === 'logistic' ? { coef: new Array<number>(setup.names.length + 1).fill(0) } : {}),
  })
}

/** Where others have the pooled mean and standard deviation. */
const rangeScale = ({ middle, half }: Pick<Setup, 'middle' | 'half'>): { readonly mean: number[]; readonly std: number[] } => ({
  mean: list(middle),
  std: list(half),
})

/** How far one patient can move an exact learner's sum: L2, one row a patient. */
export function privateSensitivity(setup: Setup, { learner, privacy }: PrivateProtocol): number {
  const policy = { noise: privacy.noise, rowsPerPatient: 1, rowNorm: privacy.clip }
  if (learner.kind === 'statistics') return statisticsSensitivity(setup, policy)
  return learner.kind === 'linear' ? linearSensitivity(policy) : logisticSensitivity({ ...policy, penalty: (learner as RegressionSpec).l2 })
}
