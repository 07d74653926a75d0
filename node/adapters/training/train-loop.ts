import type { NeuralTask } from '#core/learner/learner.ts'
import { type DenseLayer, denseLayers } from './dense-net.ts'
import { rowOrder } from './row-order.ts'
import type { Scalar, Tensor, Tensor2D, Tf } from './tf.ts'

/**
 * Plain stochastic gradient descent on dense layers, in minibatches; the last one of an epoch may be smaller.
 * `pause` runs between steps and may throw to end the training. Leaves no tensor behind, whatever happens.
 * @returns the new weights, flat, in the order of the layers, kernel before bias
 */
export async function trainOn(tf: Tf, task: NeuralTask, pause: () => Promise<void> | void): Promise<Float32Array> {
  const layers = denseLayers(task)
  let weights = toTensors(tf, task.weights, layers)
  try {
    for (let epoch = 0; epoch < task.epochs; epoch++) {
      for (const rows of batches(rowOrder(task.labels.length / outputs(layers), task.shuffleSeed, epoch), task.batchSize)) {
        weights = step(tf, layers, weights, task, rows)
        await pause()
      }
    }
    return await toFlat(weights, task.weights.length)
  } finally {
    tf.dispose(weights)
  }
}

/** One step down the gradient of the batch's mean loss. Disposes the old weights. */
function step(tf: Tf, layers: readonly DenseLayer[], weights: readonly Tensor[], task: NeuralTask, rows: Uint32Array): Tensor[] {
  const stepped = tf.tidy(() => {
    const x = tf.tensor2d(gather(task.features, task.inputs, rows), [rows.length, task.inputs])
    const y = tf.tensor2d(gather(task.labels, outputs(layers), rows), [rows.length, outputs(layers)])
    const gradients = tf.grads((...at: Tensor[]) => lossOf(tf, layers, at, x, y, task.loss))([...weights])
    return weights.map((weight, i) => tf.sub(weight, tf.mul(task.learningRate, gradients[i] as Tensor)))
  })
  tf.dispose([...weights])
  return stepped
}

/** Mean loss. Cross-entropy is taken of logits: softplus(z) − z·y neither overflows nor takes the logarithm of 0. */
export function lossOf(tf: Tf, layers: readonly DenseLayer[], weights: readonly Tensor[], x: Tensor2D, y: Tensor2D, loss: NeuralTask['loss']): Scalar {
  const crossEntropy = loss === 'binaryCrossentropy'
  const out = forward(tf, layers, weights, x, crossEntropy)
  if (crossEntropy) return tf.mean(tf.sub(tf.softplus(out), tf.mul(out, y)))
  return tf.mean(tf.square(tf.sub(out, y)))
}

/** @param logits leaves the last activation out */
export function forward(tf: Tf, layers: readonly DenseLayer[], weights: readonly Tensor[], x: Tensor2D, logits: boolean): Tensor {
  const rest = [...weights]
  let values: Tensor = x
  for (const [i, layer] of layers.entries()) {
    values = tf.matMul(values, rest.shift() as Tensor)
    if (layer.useBias) values = tf.add(values, rest.shift() as Tensor)
    const last = i === layers.length - 1
    if (layer.activation !== 'linear' && !(last && logits)) values = tf[layer.activation](values)
  }
  return values
}

/** Copies: the cpu backend keeps the very array that it is given. */
export function toTensors(tf: Tf, flat: Float32Array, layers: readonly DenseLayer[]): Tensor[] {
  let at = 0
  const take = (length: number): Float32Array => flat.slice(at, (at += length))
  return layers.flatMap((layer) => {
    const kernel = tf.tensor2d(take(layer.inputs * layer.units), [layer.inputs, layer.units])
    return layer.useBias ? [kernel, tf.tensor1d(take(layer.units))] : [kernel]
  })
}

async function toFlat(weights: readonly Tensor[], length: number): Promise<Float32Array> {
  const flat = new Float32Array(length)
  let at = 0
  for (const weight of weights) {
    const values = await weight.data<'float32'>()
    flat.set(values, at)
    at += values.length
  }
  return flat
}

function* batches(order: Uint32Array, size: number): Generator<Uint32Array> {
  for (let at = 0; at < order.length; at += size) yield order.subarray(at, at + size)
}

function gather(values: Float32Array, width: number, rows: Uint32Array): Float32Array {
  const out = new Float32Array(rows.length * width)
  rows.forEach((row, i) => out.set(values.subarray(row * width, (row + 1) * width), i * width))
  return out
}

const outputs = (layers: readonly DenseLayer[]): number => layers.at(-1)?.units ?? 0
