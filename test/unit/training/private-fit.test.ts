import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { loadBackend } from '#adapters/training/load-backend.ts'
import { clippedByNorms, clippedOneByOne } from '#adapters/training/private/clipped-gradients.ts'
import { fitPrivate, type PrivateFitOptions } from '#adapters/training/private/fit-private.ts'
import { groupNormalization } from '#adapters/training/private/group-normalization.ts'
import { OuterProducts } from '#adapters/training/private/outer-products.ts'
import { batchOf, dataOf } from '#adapters/training/private/private-data.ts'
import { privateLayers } from '#adapters/training/private/private-layers.ts'
import { privateModel } from '#adapters/training/private/private-model.ts'
import type { Sequential, Tfl } from '#adapters/training/private/tfl.ts'
import { provideFilterGradient } from '#adapters/training/private/wasm-filter-gradient.ts'
import { can, selfTest } from '#adapters/training/self-test.ts'
import type { Tf } from '#adapters/training/tf.ts'
import { isRotaError } from '#base/errors.ts'
import { grouped, oneRowEach } from '#core/learner/private/units.ts'
import { Seeded } from '#core/model/seeded.ts'
import { cases, floats, type PrivateCase, rowsFor } from './private-models.ts'

/*
  Private training, on wasm
  ├── clips whole patients: the sum by norms is the sum patient by patient, for layers of every kind
  ├── a patient moves the sum by the clip at most, however many rows it has
  ├── noise has the deviation that was asked for, divided by the expected batch, also in a step without patients
  ├── the same seed gives the same weights; no tensor stays behind; it learns
  └── refuses batch normalisation, layers with a memory, options out of range, rows that do not fit
*/
let tf: Tf
let tfl: Tfl
before(async () => {
  tf = (await loadBackend('wasm', null)).tf
  tfl = await import('@tensorflow/tfjs-layers')
  provideFilterGradient(tf)
})

const OPTIONS: PrivateFitOptions = { loss: 'binaryCrossentropy', clip: 1, noise: 0.5, samplingRate: 0.5, steps: 5, learningRate: 0.1, expectedBatch: 10 }
const tools = (seed = 1) => ({ random: new Seeded(seed), pause: () => undefined })
const normOf = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0))
const difference = (a: Float64Array, b: Float64Array): number => normOf(a.map((x, i) => x - (b[i] as number)))
const allOf = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, p) => p)

/** The sum of the clipped gradients by norms, and one by one. */
function bothWays(one: PrivateCase, rows: ReturnType<typeof rowsFor>, clip: number): { byNorms: Float64Array; oneByOne: Float64Array } {
  const layers = privateLayers(one.model)
  const batch = batchOf(tf, dataOf(one.model, rows), allOf(rows.patients.count))
  const byNorms = clippedByNorms(tf, layers, batch, clip, 'meanSquaredError', new OuterProducts())
  const oneByOne = clippedOneByOne(tf, layers, batch, clip, 'meanSquaredError')
  tf.dispose([batch.x, batch.y])
  return { byNorms, oneByOne }
}

describe('clipped gradients', () => {
  it('by norms are those patient by patient, for several rows each and layers of every kind', () => {
    let tried = 0
    for (let seed = 1; seed <= 4; seed++) {
      for (const one of cases(tf, tfl, seed)) {
        const rows = rowsFor(one, 8, new Seeded(seed))
        for (const clip of [0.2, 1e9]) {
          const { byNorms, oneByOne } = bothWays(one, rows, clip)
          assert.ok(difference(byNorms, oneByOne) < 2e-6 * normOf(oneByOne), `${one.name}, seed ${seed}, clip ${clip}`)
          tried++
        }
      }
    }
    assert.equal(tried, 40)
  })

  it('of a patient with many rows are those too, where pairs would cost more than the gradient', () => {
    const one = cases(tf, tfl, 5)[1] as PrivateCase
    const random = new Seeded(5)
    const rows = { features: floats(80 * one.inputs, random), labels: floats(80 * one.outputs, random), patients: grouped(new Uint32Array(80).fill(1, 70), 2) }
    const { byNorms, oneByOne } = bothWays(one, rows, 0.5)
    assert.ok(difference(byNorms, oneByOne) < 2e-6 * normOf(oneByOne))
  })

  it('have the norm of the clip for one patient, also where its rows are equal: pairs of rows count', () => {
    for (const one of cases(tf, tfl, 2)) {
      const random = new Seeded(2)
      const row = floats(one.inputs, random)
      const labels = new Float64Array(5 * one.outputs).fill(9)
      const rows = {
        features: Float32Array.from({ length: 5 * one.inputs }, (_, i) => row[i % one.inputs] as number),
        labels: Float32Array.from(labels),
        patients: grouped(new Uint32Array(5), 1),
      }
      const { byNorms } = bothWays(one, rows, 0.01)
      assert.ok(normOf(byNorms) <= 0.01 && normOf(byNorms) > 0.01 * 0.998, `${one.name}: ${normOf(byNorms)}`)
    }
  })

  it('move by the clip at most when a patient joins, whatever its rows', () => {
    for (const one of cases(tf, tfl, 4)) {
      const rows = rowsFor(one, 6, new Seeded(4))
      const data = dataOf(one.model, rows)
      for (const row of rows.patients.order.subarray(rows.patients.starts[5])) data.features.fill(40, row * one.inputs, (row + 1) * one.inputs)
      const [some, all] = [5, 6].map((count) => {
        const batch = batchOf(tf, data, allOf(count))
        const sum = clippedByNorms(tf, privateLayers(one.model), batch, 0.3, 'meanSquaredError', new OuterProducts())
        tf.dispose([batch.x, batch.y])
        return sum
      }) as [Float64Array, Float64Array]
      const moved = difference(all, some)
      assert.ok(moved <= 0.3 && moved > 0, `${one.name}: ${moved}`)
    }
  })

  it('leave out a patient whose gradient is no number, and nobody else', () => {
    const one = cases(tf, tfl, 3)[0] as PrivateCase
    const rows = rowsFor(one, 3, new Seeded(3))
    const layers = privateLayers(one.model)
    const data = dataOf(one.model, rows)
    const labels = rows.labels.slice()
    for (const row of rows.patients.order.subarray(0, rows.patients.starts[1])) labels[row] = Number.POSITIVE_INFINITY
    const of = (values: Float32Array, drawn: Uint32Array) =>
      clippedByNorms(tf, layers, batchOf(tf, { ...data, labels: values }, drawn), 1, 'meanSquaredError', new OuterProducts())
    assert.ok(difference(of(labels, allOf(3)), of(rows.labels, Uint32Array.of(1, 2))) < 1e-6)
  })

  it('need a filter gradient, which the wasm backend now has', async () => {
    assert.ok(can(await selfTest(tf), 'conv'))
  })
})

const dense = (units: number, inputShape?: [number], activation: 'linear' | 'sigmoid' | 'tanh' = 'linear') =>
  tfl.layers.dense({ units, activation, ...(inputShape ? { inputShape } : {}) })

describe('fitPrivate', () => {
  it('adds noise of deviation σ·C to the sum and divides by the expected batch, also in a step without patients', async () => {
    for (const samplingRate of [1e-9, 1]) {
      const model = tfl.sequential({ layers: [dense(50, [40])] })
      const before = Float64Array.from(model.getWeights()[0]?.dataSync<'float32'>() as Float32Array)
      // Rows of zeros with their answer: no gradient at all.
      const rows = { features: new Float32Array(8 * 40), labels: new Float32Array(8 * 50), patients: oneRowEach(8) }
      const options: PrivateFitOptions = {
        ...OPTIONS,
        loss: 'meanSquaredError',
        clip: 3,
        noise: 2,
        samplingRate,
        steps: 4,
        learningRate: 0.5,
        expectedBatch: 16,
      }
      const after = await fitPrivate(tf, model, rows, options, tools(4))
      const moved = before.map((weight, i) => (after[i] as number) - weight)
      const deviation = normOf(moved) / Math.sqrt(moved.length)
      const expected = (0.5 / 16) * 2 * 3 * Math.sqrt(4)
      assert.ok(Math.abs(deviation / expected - 1) < 0.07, `${deviation} ${expected}`)
    }
  })

  it('learns, leaves its weights in the model, and gives the same weights for the same seed', async () => {
    const random = new Seeded(11)
    const features = floats(400 * 3, random)
    const labels = Float32Array.from({ length: 400 }, (_, i) => ((features[3 * i] as number) - (features[3 * i + 1] as number) > 0 ? 1 : 0))
    const train = async (): Promise<{ weights: Float32Array; model: Sequential }> => {
      const model = tfl.sequential({ layers: [dense(4, [3], 'tanh'), dense(1, undefined, 'sigmoid')] })
      model.setWeights(model.getWeights().map((weight) => tf.tensor(floats(weight.size, new Seeded(weight.size)), weight.shape)))
      const options = { ...OPTIONS, samplingRate: 0.2, expectedBatch: 80, noise: 1, learningRate: 2, steps: 40 }
      return { model, weights: await fitPrivate(tf, model, { features, labels, patients: oneRowEach(400) }, options, tools(5)) }
    }
    const [one, two] = [await train(), await train()]
    assert.deepEqual(one.weights, two.weights)
    assert.deepEqual(
      [...one.weights],
      one.model.getWeights().flatMap((weight) => [...weight.dataSync<'float32'>()]),
    )
    const answers = (one.model.predict(tf.tensor(features, [400, 3])) as ReturnType<Tf['tensor']>).dataSync<'float32'>()
    const right = answers.filter((p, i) => (p > 0.5 ? 1 : 0) === labels[i]).length
    assert.ok(right > 350, `${right} of 400`)
  })

  it('trains what it has no short cut for, and leaves no tensor behind, also when it is cut off', async () => {
    const model = tfl.sequential({
      layers: [tfl.layers.lstm({ units: 3, recurrentInitializer: 'glorotUniform', inputShape: [4, 2] }), dense(1, undefined, 'sigmoid')],
    })
    const rows = rowsFor({ inputs: 8, outputs: 1 }, 6, new Seeded(6))
    await fitPrivate(tf, model, rows, { ...OPTIONS, steps: 1 }, tools(6))
    const tensors = tf.memory().numTensors
    await fitPrivate(tf, model, rows, { ...OPTIONS, steps: 2 }, tools(6))
    await assert.rejects(fitPrivate(tf, model, rows, OPTIONS, { ...tools(6), pause: () => Promise.reject(new Error('cut')) }), /cut/)
    assert.equal(tf.memory().numTensors, tensors)
  })
})

describe('a private model', () => {
  const layers = [
    { className: 'Conv1D', config: { filters: 4, kernelSize: 3, activation: 'relu' } },
    { className: 'GroupNormalization', config: { groups: 2 } },
    { className: 'Flatten', config: {} },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid' } },
  ]
  const count = 3 * 2 * 4 + 4 + 4 + 4 + 4 * 4 + 1

  it('is made of layers and weights as they are listed, and gives them back in that order', async () => {
    const weights = floats(count, new Seeded(9))
    const model = privateModel(tf, tfl, layers, [6, 2], weights)
    assert.deepEqual(Float32Array.from(model.getWeights().flatMap((weight) => [...weight.dataSync<'float32'>()])), weights)
    const rows = rowsFor({ inputs: 12, outputs: 1 }, 4, new Seeded(9))
    const after = await fitPrivate(tf, model, rows, { ...OPTIONS, learningRate: 1e-12, steps: 1 }, tools())
    assert.ok(after.every((weight, i) => Math.abs(weight - (weights[i] as number)) < 1e-6))
  })

  it('refuses classes and sizes that there are not, and weights of another number', () => {
    const refused = (...of: [typeof layers, readonly number[], number]) =>
      assert.throws(
        () => privateModel(tf, tfl, of[0], of[1], new Float32Array(of[2])),
        (error) => isRotaError(error) && error.code === 'ROTA-2386',
      )
    refused([{ className: 'Sparse', config: {} } as never], [3], 4)
    refused([{ className: 'Dense', config: { units: -1 } } as never], [3], 4)
    refused(layers, [6, 2], count + 1)
  })
})

describe('fitPrivate refuses', () => {
  const rows = (width: number) => ({ features: new Float32Array(4 * width), labels: new Float32Array(4), patients: oneRowEach(4) })
  const refused = (model: Sequential, code: string, changes: Partial<PrivateFitOptions> = {}, data = rows(4)) =>
    assert.rejects(fitPrivate(tf, model, data, { ...OPTIONS, ...changes }, tools()), (error) => isRotaError(error) && error.code === code)
  const plain = () => tfl.sequential({ layers: [dense(1, [4])] })

  it('batch normalisation, also within another layer; group normalisation stands in for it', async () => {
    const { layers: l } = tfl
    await refused(tfl.sequential({ layers: [dense(3, [4]), l.batchNormalization(), dense(1)] }), 'ROTA-2381')
    const wrapped = l.timeDistributed({ layer: l.batchNormalization(), inputShape: [2, 2] })
    await refused(tfl.sequential({ layers: [wrapped, l.flatten(), dense(1)] }), 'ROTA-2381')
    const grouped = new (groupNormalization(tf, tfl))({ groups: 2 })
    const model = tfl.sequential({ layers: [dense(4, [4]), grouped, dense(1)] as never })
    await fitPrivate(tf, model, rows(4), { ...OPTIONS, steps: 1 }, tools())
  })

  it('layers that remember, models without weights, and cross-entropy of what are no logits', async () => {
    const { layers: l } = tfl
    await refused(
      tfl.sequential({ layers: [l.lstm({ units: 2, recurrentInitializer: 'glorotUniform', stateful: true, batchInputShape: [4, 2, 2] }), dense(1)] }),
      'ROTA-2386',
    )
    await refused(tfl.sequential({ layers: [l.flatten({ inputShape: [2, 2] })] }), 'ROTA-2386')
    await refused(tfl.sequential({ layers: [dense(1, [4], 'tanh')] }), 'ROTA-2386')
  })

  it('a clip, noise, rate or size out of range', async () => {
    const bad: readonly Partial<PrivateFitOptions>[] = [
      { clip: 0 },
      { clip: Number.NaN },
      { noise: 0 },
      { noise: Number.POSITIVE_INFINITY },
      { samplingRate: 1.1 },
      { steps: 1.5 },
      { expectedBatch: 0 },
    ]
    for (const changes of bad) await refused(plain(), 'ROTA-2384', changes)
  })

  it('rows that do not fit the model, or are no numbers', async () => {
    await refused(plain(), 'ROTA-2386', {}, rows(3))
    await refused(plain(), 'ROTA-2386', {}, { ...rows(4), labels: Float32Array.of(0, 1, Number.NaN, 0) })
  })
})
