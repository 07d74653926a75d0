import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { denseLayers } from '#adapters/training/dense-net.ts'
import { loadBackend } from '#adapters/training/load-backend.ts'
import { can, selfTest } from '#adapters/training/self-test.ts'
import type { Tensor2D, Tf } from '#adapters/training/tf.ts'
import { forward, toTensors, trainOn } from '#adapters/training/train-loop.ts'
import { smallTask } from './reference-net.ts'

/*
  A backend
  ├── on cpu, passes every self-test
  ├── on stock wasm, does dense layers, and is caught at what it cannot do: filter gradients, pools of negative values
  ├── computes what tfjs's own layers compute from the same JSON
  └── is left without a tensor after training, also when the training is cut off
*/
describe('self-test', () => {
  it('passes whole on cpu', async () => {
    const tests = await selfTest((await loadBackend('cpu', null)).tf)
    assert.deepEqual(
      tests.filter((test) => !test.passed),
      [],
    )
    assert.equal(tests.length, 9)
  })

  it('catches what stock wasm gets wrong', async () => {
    const tests = await selfTest((await loadBackend('wasm', null)).tf)
    assert.ok(can(tests, 'dense'))
    const failed = tests.filter((test) => !test.passed).map((test) => test.name)
    assert.deepEqual(failed, ['conv2d filter', 'max-pool of negative values'])
    assert.ok(!can(tests, 'conv') && !can(tests, 'pool'))
  })
})

describe('dense layers', () => {
  let tf: Tf
  before(async () => {
    tf = (await loadBackend('cpu', null)).tf
  })

  it('compute what tfjs layers compute from the same JSON and weights', async () => {
    const tfl = await import('@tensorflow/tfjs-layers')
    const task = smallTask({})
    const model = tfl.sequential()
    task.layers.forEach(({ config }, i) => model.add(tfl.layers.dense({ ...config, ...(i === 0 ? { inputShape: [task.inputs] } : {}) } as never)))
    const weights = toTensors(tf, task.weights, denseLayers(task))
    model.setWeights(weights)
    const x = tf.tensor2d(task.features, [45, 5])
    const theirs = (model.predict(x) as Tensor2D).dataSync()
    const ours = forward(tf, denseLayers(task), weights, x, false).dataSync()
    assert.deepEqual(ours, theirs)
  })

  it('leave no tensor behind', async () => {
    const start = tf.memory().numTensors
    await trainOn(tf, smallTask({ epochs: 3 }), () => undefined)
    assert.equal(tf.memory().numTensors, start)
    const cut = trainOn(tf, smallTask({ epochs: 3 }), () => Promise.reject(new Error('cut')))
    await assert.rejects(cut, /cut/)
    assert.equal(tf.memory().numTensors, start)
  })
})
