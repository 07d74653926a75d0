/**
 * CPU time of a private training step over that of a plain one, on the wasm backend, in pairs; one JSON line. A process of its own, so that its CPU time is its own.
 *   node scripts/bench/private.ts PAIRS
 */
import { randomFillSync } from 'node:crypto'
import process from 'node:process'
import { loadBackend } from '#adapters/training/load-backend.ts'
import { fitPrivate, type PrivateFitOptions } from '#adapters/training/private/fit-private.ts'
import type { Sequential, Tfl } from '#adapters/training/private/tfl.ts'
import { provideFilterGradient } from '#adapters/training/private/wasm-filter-gradient.ts'
import type { Tensor, Tf } from '#adapters/training/tf.ts'
import { trainOn } from '#adapters/training/train-loop.ts'
import type { NeuralTask } from '#core/learner/learner.ts'
import { oneRowEach } from '#core/learner/private/units.ts'

const BATCH = 32
/** Each step draws one in so many. */
const COHORT = 8
const RATE = 0.01

/** Milliseconds of CPU a step, plain and private. */
export interface PrivatePair {
  readonly plainMs: number
  readonly privateMs: number
}

const wave = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i + 0.3))
const coins = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => (Math.sin(3.1 * i) > 0 ? 1 : 0))
const random = { bytes: (length: number) => randomFillSync(new Uint8Array(length)) }
const pause = (): void => undefined

async function cpuMs(steps: number, work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / steps
}

const options = (steps: number): PrivateFitOptions => ({
  ...{ loss: 'binaryCrossentropy', clip: 1, noise: 1, learningRate: RATE, steps },
  ...{ samplingRate: 1 / COHORT, expectedBatch: BATCH },
})

async function privateMs(tf: Tf, model: Sequential, width: number, steps: number): Promise<number> {
  const rows = COHORT * BATCH
  const data = { features: wave(rows * width), labels: coins(rows), patients: oneRowEach(rows) }
  return cpuMs(steps, () => fitPrivate(tf, model, data, options(steps), { random, pause }))
}

async function pairs(count: number, plain: () => Promise<number>, guarded: () => Promise<number>): Promise<PrivatePair[]> {
  await plain()
  await guarded()
  const measured: PrivatePair[] = []
  for (let i = 0; i < count; i++) measured.push({ plainMs: await plain(), privateMs: await guarded() })
  return measured
}

/** 30 → 64 → 64 → 1: the trainer's own step against the private one. */
async function dense(tf: Tf, tfl: Tfl, count: number): Promise<PrivatePair[]> {
  const [inputs, steps] = [30, 100]
  const units = [64, 64, 1]
  const layers = units.map((n, i) => ({ className: 'Dense', config: { units: n, activation: i === 2 ? 'sigmoid' : 'relu', useBias: true } }))
  const weights = wave(30 * 64 + 64 + 64 * 64 + 64 + 64 + 1).map((x) => x / 8)
  const task: NeuralTask = {
    ...{ layers, inputs, weights, features: wave(BATCH * inputs), labels: coins(BATCH), loss: 'binaryCrossentropy' },
    ...{ epochs: steps, batchSize: BATCH, learningRate: RATE, shuffleSeed: new Uint8Array(32) },
  }
  const model = tfl.sequential({
    layers: layers.map(({ config }, i) => tfl.layers.dense({ ...config, ...(i === 0 ? { inputShape: [inputs] } : {}) } as never)),
  })
  return pairs(
    count,
    () => cpuMs(steps, () => trainOn(tf, task, pause)),
    () => privateMs(tf, model, inputs, steps),
  )
}

/** 28 × 28 pixels, 16 and 32 filters of 3 × 3 with pools, 64 → 1: the gradient of all weights against the private step. */
async function convolution(tf: Tf, tfl: Tfl, count: number): Promise<PrivatePair[]> {
  const { layers: l } = tfl
  const steps = 6
  const filter = (filters: number, inputShape?: [number, number, number]) =>
    l.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', ...(inputShape ? { inputShape } : {}) })
  const model = tfl.sequential({
    layers: [
      ...[filter(16, [28, 28, 1]), l.maxPooling2d({ poolSize: 2 }), filter(32), l.maxPooling2d({ poolSize: 2 })],
      ...[l.flatten(), l.dense({ units: 64, activation: 'relu' }), l.dense({ units: 1, activation: 'sigmoid' })],
    ],
  })
  const [x, y] = [tf.tensor(wave(BATCH * 784), [BATCH, 28, 28, 1]), tf.tensor(coins(BATCH), [BATCH, 1])]
  const plain = async (): Promise<void> => {
    for (let i = 0; i < steps; i++) plainStep(tf, model, x, y)
  }
  return pairs(
    count,
    () => cpuMs(steps, plain),
    () => privateMs(tf, model, 784, steps),
  )
}

/** The trainer's step for layers of any kind: down the gradient of the batch's mean loss. */
function plainStep(tf: Tf, model: Sequential, x: Tensor, y: Tensor): void {
  const weights = model.trainableWeights
  const variables = weights.map((weight) => weight.read() as ReturnType<Tf['variable']>)
  tf.tidy(() => {
    const { grads } = tf.variableGrads(() => {
      const p = model.layers.reduce((values, layer) => layer.apply(values, { training: true }) as Tensor, x)
      return tf.neg(tf.mean(tf.add(tf.mul(y, tf.log(tf.add(p, 1e-7))), tf.mul(tf.sub(1, y), tf.log(tf.sub(1 + 1e-7, p))))))
    }, variables)
    for (const variable of variables) variable.assign(tf.sub(variable, tf.mul(RATE, grads[variable.name] as Tensor)))
  })
}

const count = Number(process.argv[2])
const { tf } = await loadBackend('wasm', null)
const tfl = await import('@tensorflow/tfjs-layers')
provideFilterGradient(tf)
process.stdout.write(`${JSON.stringify({ dense: await dense(tf, tfl, count), convolution: await convolution(tf, tfl, count) })}\n`)
