import type { Model } from '../model/model.ts'
import type { Table } from '../model/table.ts'
import type { NeuralSpec, Protocol, RegressionSpec } from '../protocol/protocol.ts'
import { forward } from './dense.ts'
import { familyOf, meanOf } from './family.ts'
import { weightsOf } from './neural.ts'
import { offsetsOf } from './newton-contribute.ts'
import { setupOf } from './setup.ts'
import { siteIntercept } from './site-intercept.ts'
import { nums } from './state.ts'

/** Probability (binary) or mean in the label's unit, for one row of raw features in the protocol's order. */
export type Predictor = (row: ArrayLike<number>) => number

/**
 * A fitted model as a function of one row; none for `statistics`.
 * @param intercept the site's own, where intercepts are private: from `ownIntercept`, never from the network
 * @returns null where there is nothing to predict with: no fit yet, or a private intercept that is not given or not finite
 */
export function predictorOf(model: Model, protocol: Protocol, intercept: number | null = null): Predictor | null {
  const spec = protocol.learner
  if (spec.kind === 'statistics') return null
  if (spec.kind === 'neural') return model.state.weights instanceof Uint8Array ? network(model, protocol, spec) : null
  if (!Array.isArray(model.state.coef)) return null
  const coef = nums(model.state, 'coef')
  const own = hasOwnIntercepts(protocol)
  const common = own ? intercept : (coef[0] as number)
  return common === null ? null : regression(model, protocol, own ? coef : coef.slice(1), common, meanOf(spec.kind, protocol.label.range[1]))
}

/** One row's prediction. @see predictorOf */
export const predict = (model: Model, protocol: Protocol, row: ArrayLike<number>, intercept: number | null = null): number | null =>
  predictorOf(model, protocol, intercept)?.(row) ?? null

export const hasOwnIntercepts = ({ learner }: Protocol): boolean => 'siteIntercepts' in learner && learner.siteIntercepts

/**
 * The private intercept of the site whose rows these are, for a fitted model: standardised scale, in the unit of the linear predictor.
 * Null when the study has no private intercepts or the site's has no finite value (one class only). Stays at the site.
 */
export function ownIntercept(model: Model, protocol: Protocol, train: Table): number | null {
  if (!hasOwnIntercepts(protocol) || !Array.isArray(model.state.coef)) return null
  const { kind } = protocol.learner as RegressionSpec
  const family = familyOf(setupOf(protocol))
  const offsets = offsetsOf(model, train, nums(model.state, 'coef'), 0)
  // A final linear model is in the label's unit already.
  return siteIntercept(kind, family, offsets, kind === 'linear' ? train.label : train.label.map(family.response))
}

function regression(model: Model, protocol: Protocol, slopes: readonly number[], intercept: number, mean: (eta: number) => number): Predictor {
  const centre = nums(model.state, 'mean')
  const std = nums(model.state, 'std')
  const p = protocol.features.length
  return (row) => {
    let eta = intercept
    for (let j = 0; j < p; j++) eta += (slopes[j] as number) * (((row[j] as number) - (centre[j] as number)) / (std[j] as number))
    return mean(eta)
  }
}

function network(model: Model, protocol: Protocol, { layers, loss }: NeuralSpec): Predictor {
  const weights = weightsOf(model)
  const centre = nums(model.state, 'mean')
  const std = nums(model.state, 'std')
  const { labelMiddle, labelHalf } = setupOf(protocol)
  const scaled = new Float64Array(protocol.features.length)
  return (row) => {
    for (let j = 0; j < scaled.length; j++) scaled[j] = ((row[j] as number) - (centre[j] as number)) / (std[j] as number)
    const answer = forward(layers, weights, scaled)
    return loss === 'binaryCrossentropy' ? answer : labelMiddle + labelHalf * answer
  }
}
