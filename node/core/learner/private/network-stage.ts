import type { Sha256 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Model } from '#core/model/model.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { PrivateProtocol } from '#core/protocol/private-rounds.ts'
import type { NeuralSpec } from '#core/protocol/protocol.ts'
import type { LocalUpdate } from '#core/ring/vectors.ts'
import { initialWeights } from '../dense.ts'
import type { LearnerTools, NeuralTask, Stage } from '../learner.ts'
import { advanceNeural, neuralLayout, weightsOf } from '../neural.ts'
import { checkTable, type Setup } from '../setup.ts'
import { list, modelOf } from '../state.ts'
import { patientsOf } from './stage.ts'

/**
 * Networks by differentially private steps at each site. Sites weigh alike: how many rows each has is not told. As all divide by the same expected batch, a
 * site with more patients moves the weights by more.
 */
export function networkStage(setup: Setup, protocol: PrivateProtocol): Stage {
  // A weight of 1 for each site, in the place of its rows.
  const alike = { ...setup, maxRows: 1 }
  const layout = neuralLayout(alike)
  return {
    layout,
    contribute: (model, cohort, tools) => contribute(setup, protocol, layout, model, cohort, tools),
    advance(model, sum) {
      const { model: next, status } = advanceNeural(alike, model, sum)
      if (next.stage !== 'evaluation') return { model: next, status }
      return { model: modelOf(next.learner, 'done', next.state), status: 'finished' }
    },
  }
}

/** Features over their ranges: the state names the range where others have mean and standard deviation. */
export function initialNetwork(setup: Setup, { learner }: PrivateProtocol, name: string, sha256: Sha256): Model {
  const { layers, seed } = learner as NeuralSpec
  const weights = initialWeights(layers, setup.names.length, seed, sha256)
  return modelOf(name, 'fit', {
    mean: list(setup.middle),
    std: list(setup.half),
    iteration: 0,
    weights: new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength),
  })
}

async function contribute(
  setup: Setup,
  protocol: PrivateProtocol,
  layout: LocalUpdate['layout'],
  model: Model,
  cohort: SplitTable,
  tools: LearnerTools,
): Promise<LocalUpdate> {
  checkTable(setup, cohort.train, 'train')
  patientsOf(cohort, protocol)
  if (!tools.train) throw new RotaError('ROTA-2107')
  const before = weightsOf(model)
  const after = await tools.train(taskOf(setup, protocol, before, cohort), tools.signal)
  if (after.length !== before.length) throw new RotaError('ROTA-2108', { length: after.length, expected: before.length })
  for (let i = 0; i < after.length; i++) after[i] = (after[i] as number) - (before[i] as number)
  return { kind: 'neural', layout, rows: 1, weight: 1, normBound: (protocol.learner as NeuralSpec).normBound, delta: after }
}

function taskOf(setup: Setup, { learner, privacy }: PrivateProtocol, before: Float32Array, { train }: SplitTable): NeuralTask {
  const { layers, loss, localEpochs, batchSize, learningRate } = learner as NeuralSpec
  const { names, middle, half, labelMiddle, labelHalf } = setup
  const p = names.length
  const { clip, noise, samplingRate, steps, expectedBatch } = privacy
  return {
    layers,
    inputs: p,
    weights: before.slice(),
    features: Float32Array.from(train.values, (x, i) => (x - (middle[i % p] as number)) / (half[i % p] as number)),
    labels: Float32Array.from(train.label, (y) => (loss === 'binaryCrossentropy' ? y : (y - labelMiddle) / labelHalf)),
    loss,
    epochs: localEpochs,
    batchSize,
    learningRate,
    // Patients are drawn from the system's generator: nothing here is shuffled.
    shuffleSeed: new Uint8Array(32),
    privacy: { clip, noise, samplingRate, steps, expectedBatch: expectedBatch as number },
  }
}
