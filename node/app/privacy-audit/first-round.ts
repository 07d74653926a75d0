import { sha256 } from '#app/sha256.ts'
import { rowsShown } from '#core/evidence/inversion.ts'
import { rehearse } from '#core/learner/rehearse.ts'
import { nums } from '#core/learner/state.ts'
import type { Model } from '#core/model/model.ts'
import { isPrivate } from '#core/protocol/private-rounds.ts'
import type { NeuralSpec, Protocol } from '#core/protocol/protocol.ts'
import type { SumValues } from '#core/ring/vectors.ts'
import { type Lab, learnerOf, toolsOf, withoutTest } from './lab.ts'

/** The model at which a site first sends what is made of whole rows: the fit of networks and averaged models, the first stage of all others. */
export async function firstModel(lab: Lab, protocol: Protocol): Promise<Model> {
  const initial = learnerOf(protocol).initial()
  if (isPrivate(protocol) || !hasDeltas(protocol)) return initial
  const { models } = await rehearse({ ...protocol, maxRounds: 1 }, { [lab.site]: withoutTest(lab.rows) }, { ...toolsOf(lab), sha256 })
  return models[1] as Model
}

/** Whether what is sent is a change of weights. */
export const hasDeltas = ({ learner }: Protocol): boolean => learner.kind === 'neural' || (learner.kind === 'logistic' && learner.algorithm === 'fedavg')

/** Rows as the learner sees them at this model: standardised, or over their ranges. */
export function seen(protocol: Protocol, model: Model, row: ArrayLike<number>): Float64Array {
  const scaled = Array.isArray(model.state.mean)
  const middle = scaled ? nums(model.state, 'mean') : protocol.features.map(({ range: [low, high] }) => (low + high) / 2)
  const half = scaled ? nums(model.state, 'std') : protocol.features.map(({ range: [low, high] }) => (high - low) / 2)
  return Float64Array.from(row, (x, j) => (x - (middle[j] as number)) / (half[j] as number))
}

/**
 * The row that a vector shows by a division, were it of one patient alone: the first layer's kernel by its bias where weights changed, sums by their counts
 * where sums are sent.
 */
export function rowGuessed(protocol: Protocol, model: Model, sent: SumValues): ArrayLike<number> {
  const p = protocol.features.length
  const by = (top: (j: number) => number, bottom: number): Float64Array => Float64Array.from({ length: p }, (_, j) => (bottom === 0 ? 0 : top(j) / bottom))
  const { learner } = protocol
  if (learner.kind === 'neural') return rowsShown(changeOf(learner, p, sent))[0] ?? new Float64Array(p)
  if (learner.kind === 'statistics') return by((j) => sent.at(2 + j * (3 + learner.bins)), sent.at(0))
  if (isPrivate(protocol)) return learner.kind === 'linear' ? by((j) => sent.at(1 + j) / Math.SQRT2, sent.at(0)) : by((j) => sent.at(1 + j), sent.at(0))
  if (!hasDeltas(protocol)) return by((j) => sent.at(1 + j), sent.at(0))
  const before = nums(model.state, 'coef')
  const change = (j: number): number => sent.at(1 + j) - sent.at(0) * (before[j] as number)
  return by((j) => change(1 + j), change(0))
}

function changeOf({ layers }: NeuralSpec, inputs: number, sent: SumValues) {
  const units = layers[0]?.config.units ?? 1
  const part = (from: number, length: number): Float64Array => Float64Array.from({ length }, (_, i) => sent.at(1 + from + i))
  return { inputs, units, kernel: part(0, inputs * units), bias: part(inputs * units, units) }
}
