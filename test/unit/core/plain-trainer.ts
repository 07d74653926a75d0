import type { NeuralTask, TrainNeural } from '#core/learner/learner.ts'
import { Seeded } from '#core/model/seeded.ts'

interface Dense {
  readonly at: number
  readonly inputs: number
  readonly units: number
  readonly activation: string
}

/** Mini-batch gradient descent of dense layers by the book, in float64: a trainer without a framework, for rounds in memory. */
export const plainTrainer: TrainNeural = async (task) => {
  const layers = layersOf(task)
  const weights = Float64Array.from(task.weights)
  const rows = task.labels.length
  const random = new Seeded(new DataView(task.shuffleSeed.buffer, task.shuffleSeed.byteOffset).getUint32(0))
  for (let epoch = 0; epoch < task.epochs; epoch++) {
    const order = shuffled(rows, random)
    for (let start = 0; start < rows; start += task.batchSize) {
      const batch = order.slice(start, start + task.batchSize)
      const gradient = new Float64Array(weights.length)
      for (const row of batch) addGradient(task, layers, weights, row, gradient)
      for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] as number) - (task.learningRate * (gradient[i] as number)) / batch.length
    }
  }
  return Float32Array.from(weights)
}

function layersOf(task: NeuralTask): Dense[] {
  let at = 0
  let inputs = task.inputs
  return task.layers.map(({ config }) => {
    const layer = { at, inputs, units: config.units as number, activation: config.activation as string }
    at += inputs * layer.units + layer.units
    inputs = layer.units
    return layer
  })
}

function shuffled(count: number, random: Seeded): number[] {
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random.word() % (i + 1)
    ;[order[i], order[j]] = [order[j] as number, order[i] as number]
  }
  return order
}

function addGradient(task: NeuralTask, layers: Dense[], weights: Float64Array, row: number, gradient: Float64Array): void {
  const outputs: Float64Array[] = [Float64Array.from(task.features.subarray(row * task.inputs, (row + 1) * task.inputs))]
  for (const layer of layers) outputs.push(forward(layer, weights, outputs.at(-1) as Float64Array))
  // Cross-entropy behind a sigmoid and squared error behind a line have the same error signal, up to a factor.
  let signal = Float64Array.of(((outputs.at(-1) as Float64Array)[0] as number) - (task.labels[row] as number))
  if (task.loss === 'meanSquaredError') signal = signal.map((s) => 2 * s)
  for (let l = layers.length - 1; l >= 0; l--) {
    const layer = layers[l] as Dense
    const input = outputs[l] as Float64Array
    if (l < layers.length - 1) signal = signal.map((s, u) => s * slope(layer.activation, (outputs[l + 1] as Float64Array)[u] as number))
    const back = new Float64Array(layer.inputs)
    for (let u = 0; u < layer.units; u++) {
      for (let i = 0; i < layer.inputs; i++) {
        const at = layer.at + i * layer.units + u
        gradient[at] = (gradient[at] as number) + (input[i] as number) * (signal[u] as number)
        back[i] = (back[i] as number) + (weights[at] as number) * (signal[u] as number)
      }
      const bias = layer.at + layer.inputs * layer.units + u
      gradient[bias] = (gradient[bias] as number) + (signal[u] as number)
    }
    signal = back
  }
}

function forward({ at, inputs, units, activation }: Dense, weights: Float64Array, input: Float64Array): Float64Array {
  return Float64Array.from({ length: units }, (_, u) => {
    let sum = weights[at + inputs * units + u] as number
    for (let i = 0; i < inputs; i++) sum += (input[i] as number) * (weights[at + i * units + u] as number)
    if (activation === 'relu') return Math.max(0, sum)
    if (activation === 'tanh') return Math.tanh(sum)
    return activation === 'sigmoid' ? 1 / (1 + Math.exp(-sum)) : sum
  })
}

const slope = (activation: string, output: number): number => {
  if (activation === 'relu') return output > 0 ? 1 : 0
  if (activation === 'tanh') return 1 - output * output
  return activation === 'sigmoid' ? output * (1 - output) : 1
}
