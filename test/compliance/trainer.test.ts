import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BackendName } from '#adapters/training/backends.ts'
import { findNative } from '#adapters/training/native-package.ts'
import { TfjsTrainer } from '#adapters/training/tfjs-trainer.ts'
import { isRotaError } from '#base/errors.ts'
import { largestDifference, referenceTrain, smallTask } from '../unit/training/reference-net.ts'

/*
  Trainer
  ├── given a small dense net, it gives the weights that a float64 reference gives, within 1e-4
  ├── given the same seed, it gives the same bytes; another seed, other bytes
  ├── given the caller's arrays, it leaves them as they are
  ├── while it trains, the main thread answers
  ├── when the signal aborts, it throws the signal's reason soon, and trains again afterwards
  ├── when the task does not fit, it throws ROTA-3051 before anything starts
  ├── when the weights run away, it throws ROTA-3053
  └── when stopped, it ends its process and refuses work (ROTA-3057)
*/

/** A folder whose node_modules hold @tensorflow/tfjs-node with its native part. */
const nativeFrom = process.env['ROTA_TEST_NATIVE'] ?? ''
const never = new AbortController().signal

const withNative = nativeFrom !== '' && existsSync(nativeFrom) && findNative('@tensorflow/tfjs-node', nativeFrom).hasAddon
if (!withNative) console.log('skipped: the native rung, since ROTA_TEST_NATIVE names no folder with a built @tensorflow/tfjs-node')

for (const backend of ['wasm', 'cpu', ...(withNative ? (['tfjs-node'] as const) : [])] satisfies BackendName[]) {
  describe(`trainer on ${backend}`, () => {
    const options = { backend, ...(withNative ? { nativeFrom } : {}) }
    const trainer = new TfjsTrainer(options)
    after(() => trainer.stop())

    for (const loss of ['binaryCrossentropy', 'meanSquaredError'] as const) {
      it(`gives the reference's weights with ${loss}`, { timeout: 20_000 }, async () => {
        const task = smallTask({ loss })
        const got = await trainer.train(task, never)
        assert.equal(trainer.backend, backend)
        assert.ok(largestDifference(got, task.weights) > 1e-2, 'nothing was learnt')
        const off = largestDifference(got, referenceTrain(task))
        assert.ok(off < 1e-4, `differs by ${off}`)
      })
    }

    it('gives the same bytes for the same seed, others for another', { timeout: 20_000 }, async () => {
      const task = smallTask({})
      const [a, b] = [await trainer.train(task, never), await trainer.train(task, never)]
      const c = await trainer.train({ ...task, shuffleSeed: new Uint8Array(32).fill(9) }, never)
      assert.deepEqual(a, b)
      assert.notDeepEqual(a, c)
    })

    it('leaves the task as it is, also when its arrays are views', { timeout: 20_000 }, async () => {
      const task = smallTask({})
      const buffer = new Float32Array(task.weights.length + 7)
      buffer.set(task.weights, 7)
      const view = buffer.subarray(7)
      const before = structuredClone(task)
      assert.deepEqual(await trainer.train({ ...task, weights: view }, never), await trainer.train(task, never))
      assert.deepEqual(task, before)
      assert.equal(view.length, task.weights.length)
    })

    it('gives the weights back unchanged after no epoch', { timeout: 20_000 }, async () => {
      const task = smallTask({ epochs: 0 })
      assert.deepEqual(await trainer.train(task, never), task.weights)
    })
  })
}

describe('trainer, its process', () => {
  const long = () => smallTask({ epochs: 1_000_000 })
  const trainer = new TfjsTrainer({ backend: 'wasm' })
  after(() => trainer.stop())

  it('leaves the main thread free', { timeout: 20_000 }, async () => {
    await trainer.train(smallTask({ epochs: 1 }), never)
    let training = true
    const done = trainer.train(smallTask({ epochs: 60 }), never).finally(() => (training = false))
    const waits: number[] = []
    while (training) {
      const start = performance.now()
      await sleep(5)
      waits.push(performance.now() - start)
    }
    await done
    const median = waits.sort((a, b) => a - b)[waits.length >> 1] as number
    assert.ok(waits.length > 3 && median < 100, `a 5 ms timer took ${median} ms`)
  })

  it('ends soon when the signal aborts, and trains again', { timeout: 20_000 }, async () => {
    const reason = new Error('study stopped')
    const abort = new AbortController()
    setTimeout(() => abort.abort(reason), 150)
    const start = performance.now()
    await assert.rejects(trainer.train(long(), abort.signal), (error) => error === reason)
    assert.ok(performance.now() - start < 5000)
    await assert.rejects(trainer.train(long(), AbortSignal.abort(reason)), (error) => error === reason)
    assert.equal((await trainer.train(smallTask({}), never)).length, smallTask({}).weights.length)
  })

  it('refuses a task that does not fit', async () => {
    const task = smallTask({})
    const bad = [
      { ...task, layers: [{ className: 'Conv2D', config: {} }] },
      { ...task, weights: task.weights.slice(1) },
      { ...task, features: task.features.slice(1) },
      { ...task, labels: task.labels.slice(1) },
      { ...task, learningRate: Number.NaN },
      { ...task, batchSize: 0 },
      { ...task, shuffleSeed: new Uint8Array(3) },
      { ...task, features: Float32Array.from(task.features, () => Number.NaN) },
      { ...task, layers: [{ className: 'Dense', config: { units: 1, activation: 'softsign' } }] },
      { ...smallTask({ last: 'relu' }), loss: 'binaryCrossentropy' as const },
    ]
    for (const one of bad) await assert.rejects(trainer.train(one, never), (error) => isRotaError(error, 'ROTA-3051'))
  })

  it('says when the weights run away', { timeout: 20_000 }, async () => {
    await assert.rejects(trainer.train(smallTask({ loss: 'meanSquaredError', learningRate: 1e30, epochs: 20, last: 'linear' }), never), (error) =>
      isRotaError(error, 'ROTA-3053'),
    )
  })

  it('refuses a backend that is not there', { timeout: 20_000 }, async () => {
    assert.throws(
      () => new TfjsTrainer({ backend: 'abacus' as never }),
      (error) => isRotaError(error, 'ROTA-3056'),
    )
    const native = new TfjsTrainer({ backend: 'tfjs-node', nativeFrom: import.meta.dirname })
    await assert.rejects(native.train(smallTask({}), never), (error) => isRotaError(error, 'ROTA-3056'))
    await native.stop()
  })

  it('stops, and refuses work afterwards', { timeout: 20_000 }, async () => {
    const own = new TfjsTrainer({ backend: 'cpu' })
    await own.train(smallTask({ epochs: 1 }), never)
    const cut = own.train(long(), never)
    setTimeout(() => void own.stop(), 100)
    await assert.rejects(cut, (error) => isRotaError(error, 'ROTA-3057'))
    assert.equal(own.engineId, null)
    await assert.rejects(own.train(smallTask({}), never), (error) => isRotaError(error, 'ROTA-3057'))
  })

  it('chooses a backend by itself and names it', { timeout: 30_000 }, async () => {
    const own = new TfjsTrainer()
    assert.equal(own.backend, null)
    await own.train(smallTask({}), never)
    assert.ok(own.backend !== null && ['tfjs-node-gpu', 'tfjs-node', 'wasm', 'cpu'].includes(own.backend))
    await own.stop()
  })
})
