import { RotaError } from '#base/errors.ts'
import type { Model } from '../model/model.ts'
import type { SplitTable } from '../model/table.ts'
import type { FedAvgSpec } from '../protocol/protocol.ts'
import { layoutOf } from '../ring/layout.ts'
import type { LocalUpdate, SumValues, VectorLayout } from '../ring/vectors.ts'
import { sigmoid } from './elementary.ts'
import { toFixedPoint } from './fixed-sums.ts'
import type { Advance } from './learner.ts'
import type { Moments } from './moments.ts'
import { finishedWith } from './problem.ts'
import { checkTable, type Setup } from './setup.ts'
import { list, modelOf, num, nums } from './state.ts'

/**
 * FedAvg of the logistic model, deterministic: full-batch gradient steps in float64 in the order of the file, on standardised
 * features; loss = mean cross-entropy + l2/2·‖w‖², intercept free. A site sends rows × weights in fixed point.
 */

/** No weight on the standardised scale may be larger: odds ratios beyond e^256 are a diverged fit. Enters the overflow check. */
export const WEIGHT_LIMIT = 256

export function fedavgLayout({ names, wordBits, fractionBits, maxRows }: Setup): VectorLayout {
  return layoutOf('exact', wordBits, [
    { name: 'rows', length: 1, fractionBits: 0, bound: maxRows },
    { name: 'weight', length: names.length + 1, fractionBits, bound: WEIGHT_LIMIT * maxRows, columns: ['(intercept)', ...names] },
  ])
}

export function firstFedAvg(setup: Setup, learner: string, { state, problem }: Moments): Advance {
  // One outcome only is no problem here: the number of steps is given, and weights stay finite.
  if (problem && problem.code !== 'ROTA-2203') return finishedWith(learner, state, problem)
  const p = setup.names.length
  const scale = (setup.protocol.learner as FedAvgSpec).standardise === 'none' ? { mean: new Array<number>(p).fill(0), std: new Array<number>(p).fill(1) } : {}
  return { model: modelOf(learner, 'fit', { ...state, ...scale, iteration: 0, coef: new Array<number>(p + 1).fill(0) }), status: 'continue' }
}

export function contributeFedAvg(setup: Setup, model: Model, { train }: SplitTable): LocalUpdate {
  checkTable(setup, train, 'train')
  const layout = fedavgLayout(setup)
  const weights = descend(setup, model, train.values, train.label)
  const coordinates = new BigInt64Array(layout.length)
  coordinates[0] = BigInt(train.rows)
  weights.forEach((w, j) => {
    if (!(w >= -WEIGHT_LIMIT && w <= WEIGHT_LIMIT)) throw new RotaError('ROTA-2102', { coordinate: layout.name(1 + j), value: w, bound: WEIGHT_LIMIT })
    coordinates[1 + j] = toFixedPoint(train.rows * w, setup.fractionBits)
  })
  return { kind: 'exact', layout, coordinates }
}

/** The site's weights after its local steps, intercept first. A site with no rows returns the model's. */
function descend(setup: Setup, model: Model, values: Float64Array, label: Float64Array): Float64Array {
  const { localSteps, learningRate, l2 } = setup.protocol.learner as FedAvgSpec
  const weights = Float64Array.from(nums(model.state, 'coef'))
  const p = weights.length - 1
  const rows = label.length
  if (rows === 0) return weights
  const z = standardisedRows(model, values, p)
  const gradient = new Float64Array(p + 1)
  for (let step = 0; step < localSteps; step++) {
    gradient.fill(0)
    for (let i = 0; i < rows; i++) {
      let eta = weights[0] as number
      for (let j = 0; j < p; j++) eta += (weights[1 + j] as number) * (z[i * p + j] as number)
      const residual = sigmoid(eta) - (label[i] as number)
      gradient[0] = (gradient[0] as number) + residual
      for (let j = 0; j < p; j++) gradient[1 + j] = (gradient[1 + j] as number) + residual * (z[i * p + j] as number)
    }
    for (let j = 0; j <= p; j++) {
      const w = weights[j] as number
      weights[j] = w - learningRate * ((gradient[j] as number) / rows + (j === 0 ? 0 : l2 * w))
    }
  }
  return weights
}

/** (x − mean) / std of each value, row-major. */
export function standardisedRows(model: Model, values: Float64Array, p: number): Float64Array {
  const mean = nums(model.state, 'mean')
  const std = nums(model.state, 'std')
  return values.map((x, i) => (x - (mean[i % p] as number)) / (std[i % p] as number))
}

export function advanceFedAvg(setup: Setup, model: Model, sum: SumValues): Advance {
  const { rounds } = setup.protocol.learner as FedAvgSpec
  const rows = sum.at(0)
  if (rows === 0) return finishedWith(model.learner, model.state, { code: 'ROTA-2206', columns: setup.names })
  const iteration = num(model.state, 'iteration') + 1
  const coef = list(nums(model.state, 'coef').map((_, j) => sum.at(1 + j) / rows))
  return { model: modelOf(model.learner, iteration < rounds ? 'fit' : 'evaluation', { ...model.state, iteration, coef }), status: 'continue' }
}
