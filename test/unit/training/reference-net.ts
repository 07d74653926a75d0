import { rowOrder } from '#adapters/training/row-order.ts'
import type { NeuralTask } from '#core/learner/learner.ts'

/** A dense net in plain float64 JavaScript, written from the definitions: what the backends are held against. */

export interface SmallTaskOptions {
  readonly loss?: NeuralTask['loss']
  readonly epochs?: number
  readonly learningRate?: number
  readonly last?: string
}

/** 5 → 4 tanh → 3 relu → 1, 45 rows in batches of 8 (the last one of 5). Numbers from a sine: the same everywhere. */
export function smallTask(options: SmallTaskOptions): NeuralTask {
  const wave = (length: number, step: number, scale: number) => Float32Array.from({ length }, (_, i) => scale * Math.sin(step * (i + 1) + 0.3))
  const { loss = 'binaryCrossentropy', epochs = 6, learningRate = 0.1, last = loss === 'binaryCrossentropy' ? 'sigmoid' : 'linear' } = options
  return {
    layers: [
      { className: 'Dense', config: { units: 4, activation: 'tanh', useBias: true } },
      { className: 'Dense', config: { units: 3, activation: 'relu', useBias: true } },
      { className: 'Dense', config: { units: 1, activation: last, useBias: true } },
    ],
    inputs: 5,
    weights: wave(5 * 4 + 4 + 4 * 3 + 3 + 3 + 1, 1.7, 0.6),
    features: wave(45 * 5, 0.77, 1.5),
    labels: Float32Array.from({ length: 45 }, (_, i) => (Math.sin(3.1 * i) > 0.1 ? 1 : 0)),
    loss,
    epochs,
    batchSize: 8,
    learningRate,
    shuffleSeed: new Uint8Array(32).fill(7),
  }
}

export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from({ length: a.length }, (_, i) => Math.abs((a[i] as number) - (b[i] as number))))

const ACTIVATE: Record<string, (z: number) => number> = {
  linear: (z) => z,
  relu: (z) => Math.max(z, 0),
  tanh: Math.tanh,
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
}
/** Derivative from the activated value. */
const SLOPE: Record<string, (a: number) => number> = { linear: () => 1, relu: (a) => (a > 0 ? 1 : 0), tanh: (a) => 1 - a * a, sigmoid: (a) => a * (1 - a) }

interface Layer {
  readonly inputs: number
  readonly units: number
  readonly activation: string
  readonly kernel: number[]
  readonly bias: number[]
}

export function referenceTrain(task: NeuralTask): number[] {
  const layers = unpack(task)
  const rows = task.labels.length
  for (let epoch = 0; epoch < task.epochs; epoch++) {
    const order = rowOrder(rows, task.shuffleSeed, epoch)
    for (let at = 0; at < rows; at += task.batchSize) descend(layers, task, [...order.subarray(at, at + task.batchSize)])
  }
  return layers.flatMap((layer) => [...layer.kernel, ...layer.bias])
}

function unpack(task: NeuralTask): Layer[] {
  let at = 0
  let inputs = task.inputs
  const take = (n: number) => [...task.weights.slice(at, (at += n))]
  return task.layers.map(({ config }) => {
    const units = config['units'] as number
    const layer = { inputs, units, activation: config['activation'] as string, kernel: take(inputs * units), bias: take(units) }
    inputs = units
    return layer
  })
}

function descend(layers: readonly Layer[], task: NeuralTask, rows: readonly number[]): void {
  const gradients = layers.map((layer) => ({ kernel: layer.kernel.map(() => 0), bias: layer.bias.map(() => 0) }))
  for (const row of rows) addGradients(layers, gradients, task, row)
  layers.forEach((layer, l) => {
    const rate = task.learningRate / rows.length
    gradients[l]?.kernel.forEach((g, i) => (layer.kernel[i] = (layer.kernel[i] as number) - rate * g))
    gradients[l]?.bias.forEach((g, i) => (layer.bias[i] = (layer.bias[i] as number) - rate * g))
  })
}

function addGradients(layers: readonly Layer[], gradients: readonly { kernel: number[]; bias: number[] }[], task: NeuralTask, row: number): void {
  const values: number[][] = [[...task.features.slice(row * task.inputs, (row + 1) * task.inputs)]]
  for (const layer of layers) values.push(outputsOf(layer, values.at(-1) as number[]))
  const out = values.at(-1)?.[0] as number
  const label = task.labels[row] as number
  const last = layers.at(-1) as Layer
  // Of the loss by the last layer's pre-activation.
  let delta = [task.loss === 'binaryCrossentropy' ? out - label : 2 * (out - label) * (SLOPE[last.activation]?.(out) as number)]
  for (let l = layers.length - 1; l >= 0; l--) {
    const layer = layers[l] as Layer
    const input = values[l] as number[]
    delta.forEach((d, j) => {
      const g = gradients[l] as { kernel: number[]; bias: number[] }
      g.bias[j] = (g.bias[j] as number) + d
      input.forEach((x, i) => (g.kernel[i * layer.units + j] = (g.kernel[i * layer.units + j] as number) + d * x))
    })
    const below = layers[l - 1]
    if (below !== undefined)
      delta = input.map(
        (a, i) => delta.reduce((sum, d, j) => sum + d * (layer.kernel[i * layer.units + j] as number), 0) * (SLOPE[below.activation]?.(a) as number),
      )
  }
}

const outputsOf = (layer: Layer, input: readonly number[]): number[] =>
  Array.from(
    { length: layer.units },
    (_, j) =>
      ACTIVATE[layer.activation]?.(input.reduce((sum, x, i) => sum + x * (layer.kernel[i * layer.units + j] as number), layer.bias[j] as number)) as number,
  )
