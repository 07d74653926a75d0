import { type Sha256, utf8 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { giveMemoryBack, LARGE_BYTES } from '#base/large-memory.ts'
import type { Model } from '../model/model.ts'
import { roomyFloats } from '../model/roomy.ts'
import type { SplitTable } from '../model/table.ts'
import type { NeuralSpec } from '../protocol/protocol.ts'
import { layoutOf } from '../ring/layout.ts'
import { powerOfTwo } from '../ring/powers.ts'
import type { LocalUpdate, SumValues, VectorLayout } from '../ring/vectors.ts'
import { initialWeights, weightCount } from './dense.ts'
import { standardisedRows } from './fedavg.ts'
import type { Advance, LearnerTools, NeuralTask } from './learner.ts'
import type { Moments } from './moments.ts'
import { finishedWith } from './problem.ts'
import { checkTable, type Setup } from './setup.ts'
import { bytesOf, modelOf, num } from './state.ts'

/**
 * FedAvg of a network. A site sends [rows, delta × rows / maxRows]: the weight stands inside the sum and lies in (0, 1], so a
 * coordinate never exceeds the norm bound and 32-bit words suffice. With normBound 10 and 20 fraction bits 204 sites fit; a site
 * that has a tenth of maxRows loses a tenth of its precision, which leaves steps of 1e-5 in its delta: set maxRows near the truth.
 */
export function neuralLayout({ protocol, names, maxRows }: Setup): VectorLayout {
  const { layers, fractionBits, normBound } = protocol.learner as NeuralSpec
  return layoutOf('neural', 32, [
    { name: 'rows', length: 1, fractionBits: 0, bound: maxRows },
    { name: 'delta', length: weightCount(layers, names.length), fractionBits, bound: normBound },
  ])
}

export function firstNeural(setup: Setup, learner: string, { state, problem }: Moments, sha256: Sha256): Advance {
  // One outcome only is no problem here: the number of steps is given, and weights stay finite.
  if (problem && problem.code !== 'ROTA-2203') return finishedWith(learner, state, problem)
  const { layers, seed, standardise } = setup.protocol.learner as NeuralSpec
  const p = setup.names.length
  const scale = standardise === 'none' ? { mean: new Array<number>(p).fill(0), std: new Array<number>(p).fill(1) } : {}
  const weights = littleEndian(initialWeights(layers, p, seed, sha256))
  return { model: modelOf(learner, 'fit', { ...state, ...scale, iteration: 0, weights }), status: 'continue' }
}

export async function contributeNeural(setup: Setup, model: Model, { train }: SplitTable, tools: LearnerTools, sha256: Sha256): Promise<LocalUpdate> {
  checkTable(setup, train, 'train')
  const spec = setup.protocol.learner as NeuralSpec
  const layout = neuralLayout(setup)
  const before = weightsOf(model)
  const share = { rows: train.rows, weight: train.rows / setup.maxRows, normBound: spec.normBound }
  if (train.rows === 0) return { kind: 'neural', layout, ...share, delta: new Float32Array(before.length) }
  if (!tools.train) throw new RotaError('ROTA-2107')
  const task = taskOf(setup, spec, model, train.values, train.label, sha256)
  const after = await tools.train(task, tools.signal)
  // The trainer's copy; most give an array of their own back.
  if (after.buffer !== task.weights.buffer && task.weights.byteLength >= LARGE_BYTES) giveMemoryBack(task.weights.buffer)
  if (after.length !== before.length) throw new RotaError('ROTA-2108', { length: after.length, expected: before.length })
  // In place: of 40 MB each copy counts, and what came back is this site's own.
  for (let i = 0; i < after.length; i++) after[i] = (after[i] as number) - (before[i] as number)
  return { kind: 'neural', layout, ...share, delta: after }
}

function taskOf(setup: Setup, spec: NeuralSpec, model: Model, values: Float64Array, label: Float64Array, sha256: Sha256): NeuralTask {
  const { layers, loss, localEpochs, batchSize, learningRate, seed } = spec
  const inputs = setup.names.length
  return {
    layers,
    inputs,
    weights: copyOf(weightsOf(model)),
    features: Float32Array.from(standardisedRows(model, values, inputs)),
    labels: Float32Array.from(label, (y) => networkLabel(setup, y)),
    loss,
    epochs: localEpochs,
    batchSize,
    learningRate,
    shuffleSeed: sha256(utf8(`rota/shuffle/${seed}/${num(model.state, 'iteration')}`)),
  }
}

function copyOf(weights: Float32Array): Float32Array {
  const copy = roomyFloats(weights.length)
  copy.set(weights)
  return copy
}

/** Networks learn a number as its place in the label's range, [-1, 1]. */
const networkLabel = ({ protocol, labelMiddle, labelHalf }: Setup, y: number): number =>
  (protocol.learner as NeuralSpec).loss === 'binaryCrossentropy' ? y : (y - labelMiddle) / labelHalf

export function advanceNeural(setup: Setup, model: Model, sum: SumValues): Advance {
  const { rounds, fractionBits } = setup.protocol.learner as NeuralSpec
  const rows = sum.at(0)
  if (rows === 0) return finishedWith(model.learner, model.state, { code: 'ROTA-2206', columns: setup.names })
  const before = weightsOf(model)
  const weights = roomyFloats(before.length)
  const total = rows / setup.maxRows
  if (sum.words === undefined) for (let i = 0; i < weights.length; i++) weights[i] = (before[i] as number) + sum.at(1 + i) / total
  else addWords(before, sum.words.subarray(1), powerOfTwo(-fractionBits), total, weights)
  const iteration = num(model.state, 'iteration') + 1
  const state = { ...model.state, iteration, weights: littleEndian(weights) }
  return { model: modelOf(model.learner, iteration < rounds ? 'fit' : 'evaluation', state), status: 'continue' }
}

function addWords(before: Float32Array, words: Int32Array, step: number, total: number, after: Float32Array): void {
  for (let i = 0; i < after.length; i++) after[i] = (before[i] as number) + ((words[i] as number) * step) / total
}

/** The network's weights; a view on the model's bytes where these are aligned. Not to be written to. */
export function weightsOf(model: Model): Float32Array {
  const bytes = bytesOf(model.state, 'weights')
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}

const littleEndian = (weights: Float32Array): Uint8Array => new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength)
