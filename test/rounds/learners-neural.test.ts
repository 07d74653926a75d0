import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { binaryMetrics, scoresOf } from '#core/evaluation/metrics.ts'
import { forward, initialWeights, weightCount } from '#core/learner/dense.ts'
import type { NeuralTask, TrainNeural } from '#core/learner/learner.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { weightsOf } from '#core/learner/neural.ts'
import { predictorOf } from '#core/learner/predict.ts'
import { results } from '#core/learner/results.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import type { Model } from '#core/model/model.ts'
import type { Label, LayerSpec } from '#core/protocol/protocol.ts'
import { plainTrainer } from '../unit/core/plain-trainer.ts'
import { network, noRows, pooledTable, protocolOf, rehearse, sha256, sitesOf, tools } from '../unit/core/support.ts'

const cohort = generateCohort({ sites: 4, rows: 250, seed: 3 })
const sites = sitesOf(cohort.sites)
const protocol = protocolOf(network({ rounds: 12, localEpochs: 2, learningRate: 0.2 }), cohort.features, cohort.label, {
  cohort: { rule: '', minRows: 1, maxRows: 400 },
})
const training = (train: TrainNeural = plainTrainer) => ({ ...tools(), train })

describe('neural fedavg', () => {
  it('given a few rounds, the network learns: better than chance on pooled test rows, and the loss falls', async () => {
    const { final, rounds, models, finished } = await rehearse(protocol, sites, training())
    assert.ok(finished)
    assert.deepEqual([...new Set(rounds.map((round) => round.stage))], ['moments', 'fit', 'evaluation'])
    assert.equal(rounds.length, 14)
    const predictor = predictorOf(final, protocol)
    const before = predictorOf(models[1] as Model, protocol)
    assert.ok(predictor && before)
    const test = pooledTable(Object.values(sites)).test
    const metrics = binaryMetrics(scoresOf(test, predictor), test.label)
    assert.ok((metrics.auc as number) > 0.65, `AUC ${metrics.auc}`)
    assert.ok((metrics.logLoss as number) < (binaryMetrics(scoresOf(test, before), test.label).logLoss as number))
    const shown = results(final, protocol)
    assert.equal(shown.test?.accuracy, metrics.accuracy)
    assert.ok(Math.abs((shown.test?.aucHistogram as number) - (metrics.auc as number)) < 0.005)
    assert.equal(shown.kind === 'neural' && shown.weights, 8 * 6 + 6 + 6 + 1)
  })

  it('given known updates, the new weights are the mean weighted by rows, to the rounding of the ring', async () => {
    const learner = learnerFor(protocol, sha256)
    const moved = (task: NeuralTask): Float32Array => task.weights.map((w, i) => w + (task.labels.length / 1000) * Math.sin(i))
    const { models } = await rehearse(
      { ...protocol, maxRounds: 2 },
      sites,
      training(async (task) => moved(task)),
    )
    const [, before, after] = models as [Model, Model, Model]
    const sizes = Object.values(sites).map(({ train }) => train.rows)
    const total = sizes.reduce((a, b) => a + b, 0)
    const step = sizes.reduce((sum, n) => sum + (n * n) / 1000, 0) / total
    weightsOf(before).forEach((w, i) => {
      const got = (weightsOf(after)[i] as number) - w
      assert.ok(Math.abs(got - step * Math.sin(i)) < (4 * 400) / total / 2 ** 20 + 1e-6, `weight ${i}`)
    })
    assert.equal(learner.layout(before).wordBits, 32)
  })

  it('given an update above the norm bound, the sum moves by no more than the bound', async () => {
    const bounded = { ...protocol, maxRounds: 2, learner: network({ normBound: 0.5 }) }
    const { models } = await rehearse(
      bounded,
      sites,
      training(async (task) => task.weights.map((w) => w + 100)),
    )
    const [, before, after] = models as [Model, Model, Model]
    const norm = Math.hypot(...weightsOf(after).map((w, i) => w - (weightsOf(before)[i] as number)))
    assert.ok(Math.abs(norm - 0.5) < 1e-3, `norm ${norm}`)
  })

  it('given a trainer that returns NaN, Inf or too few weights, or none at all, the site refuses before anything is sent', async () => {
    const refuse = (train: TrainNeural | undefined, code: string) => assert.rejects(rehearse(protocol, sites, train ? training(train) : tools()), { code })
    await refuse(async (task) => task.weights.map((w, i) => (i === 5 ? Number.NaN : w)), 'ROTA-2101')
    await refuse(async (task) => task.weights.map((w, i) => (i === 5 ? Number.POSITIVE_INFINITY : w)), 'ROTA-2101')
    await refuse(async (task) => task.weights.subarray(1), 'ROTA-2108')
    await refuse(undefined, 'ROTA-2107')
  })

  it('given the task of a round, features are standardised, the model’s weights are a copy and the shuffle differs by round', async () => {
    const tasks: NeuralTask[] = []
    const overwrite: TrainNeural = async (task) => {
      tasks.push(task)
      return task.weights.fill(0.01)
    }
    const large = { ...protocol, maxRounds: 3, cohort: { ...protocol.cohort, maxRows: 2000 } }
    const { models } = await rehearse(large, { all: pooledTable(Object.values(sites)) }, training(overwrite))
    assert.notEqual(weightsOf(models[1] as Model)[0], Math.fround(0.01))
    const { features, inputs } = tasks[0] as NeuralTask
    const ages = Array.from({ length: features.length / inputs }, (_, i) => features[i * inputs] as number)
    assert.ok(Math.abs(ages.reduce((a, b) => a + b, 0) / ages.length) < 1e-4)
    assert.ok(Math.abs(ages.reduce((a, b) => a + b * b, 0) / ages.length - 1) < 1e-4)
    assert.notDeepEqual(tasks[0]?.shuffleSeed, tasks[1]?.shuffleSeed)
    assert.equal(tasks[0]?.shuffleSeed.length, 32)
  })

  it('given a number to foretell, it learns it on the scale of its range', async () => {
    const label: Label = { name: 'stay', description: '', unit: 'd', kind: 'number', range: [0, 60] }
    const tables = Object.fromEntries(
      Object.entries(sites).map(([name, { train, test }]) => {
        const stay = (table: typeof train): typeof train => ({ ...table, label: table.label.map((_, i) => 5 + 0.3 * (table.values[i * 8] as number)) })
        return [name, { train: stay(train), test: stay(test) }]
      }),
    )
    const layers: LayerSpec[] = [
      { className: 'Dense', config: { units: 8, activation: 'tanh', useBias: true } },
      { className: 'Dense', config: { units: 1, activation: 'linear', useBias: true } },
    ]
    const numbers = { ...protocol, label, learner: network({ layers, loss: 'meanSquaredError', rounds: 15, localEpochs: 2, learningRate: 0.1 }) }
    const { final } = await rehearse(numbers, tables, training())
    assert.ok((final.state.test as { r2: number }).r2 > 0.8)
  })
})

describe('dense layers', () => {
  const layers: LayerSpec[] = [
    { className: 'Dense', config: { units: 2, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'linear', useBias: false } },
  ]
  it('given weights in order kernel, bias, row-major, the forward pass is as worked out by hand', () => {
    // kernel [[1, 2], [3, -4]], bias [0.5, 1]; kernel [[2], [10]]
    const weights = Float32Array.of(1, 2, 3, -4, 0.5, 1, 2, 10)
    assert.equal(weightCount(layers, 2), 8)
    assert.equal(forward(layers, weights, [1, 1]), 2 * 4.5 + 10 * 0)
    assert.equal(forward(layers, weights, [2, 0.5]), 2 * 4 + 10 * 3)
  })

  it('given a seed, first weights are Glorot-uniform, biases zero, and the same every time; another seed gives others', () => {
    const wide: LayerSpec[] = [{ className: 'Dense', config: { units: 100, activation: 'relu', useBias: true } }]
    const weights = initialWeights(wide, 50, 'a', sha256)
    const limit = Math.sqrt(6 / 150)
    const kernel = weights.subarray(0, 5000)
    assert.ok(kernel.every((w) => Math.abs(w) <= limit))
    const variance = kernel.reduce((sum, w) => sum + w * w, 0) / 5000
    assert.ok(Math.abs(variance / ((limit * limit) / 3) - 1) < 0.06)
    assert.ok(weights.subarray(5000).every((w) => w === 0))
    assert.deepEqual(initialWeights(wide, 50, 'a', sha256), weights)
    assert.notDeepEqual(initialWeights(wide, 50, 'b', sha256), weights)
  })

  it('given a site without rows, its update is zero', async () => {
    const learner = learnerFor(protocol, sha256)
    const { models } = await rehearse({ ...protocol, maxRounds: 1 }, sites, training())
    const empty = { train: noRows(cohort.features.map((f) => f.name)), test: noRows(cohort.features.map((f) => f.name)) }
    const update = await learner.contribute(models[1] as Model, empty, tools())
    assert.ok(update.kind === 'neural' && update.rows === 0 && update.delta.every((d) => d === 0))
  })
})
