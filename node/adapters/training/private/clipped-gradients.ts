import { RotaError } from '#base/errors.ts'
import type { NeuralTask } from '#core/learner/learner.ts'
import type { Scalar, Tensor, Tf } from '../tf.ts'
import type { OuterProducts } from './outer-products.ts'
import type { PrivateLayer } from './private-layers.ts'
import { type Seen, watched } from './seen.ts'
import { shareOf } from './shares.ts'

/** Rows of whole patients, one patient after the other. */
export interface PatientBatch {
  readonly x: Tensor
  readonly y: Tensor
  /** First row of each patient, and the end. */
  readonly bounds: Uint32Array
}

/**
 * The network computes in float32, so a gradient's norm is known to about 1e-6 of it: patients are clipped to this part of the bound, and stay below it.
 * From there on all is float64.
 */
const CLIP_MARGIN = 1 - 2 ** -10

export type Loss = NeuralTask['loss']

/**
 * Σ over patients of min(1, clip / ‖g‖) · g, g being the gradient of the patient's loss, the sum over its rows: weights in their order in the model. One pass
 * there and back for the whole batch (see `DenseShare`). A gradient that is not finite counts as zero. Leaves no tensor behind.
 */
export function clippedByNorms(
  tf: Tf,
  layers: readonly PrivateLayer[],
  { x, y, bounds }: PatientBatch,
  clip: number,
  loss: Loss,
  products: OuterProducts,
): Float64Array {
  const seen: Seen[] = []
  tf.tidy(() => {
    tf.grad((tap: Tensor) => sumOfLosses(tf, watched(tf, layers, x, tap, loss === 'binaryCrossentropy', seen), y, loss))(tf.scalar(0))
  })
  const shares = seen.map((one) => shareOf(products, bounds, one))
  const squares = new Float64Array(bounds.length - 1)
  for (const share of shares) share.addNorms(squares)
  const factors = squares.map((square) => clipFactor(square, clip))
  const sum = new Float64Array(shares.reduce((size, share) => size + share.size, 0))
  let at = 0
  for (const share of shares) share.addClipped(factors, sum.subarray(at, (at += share.size)))
  return sum
}

/** The same, patient by patient: for layers of every kind, at a pass for each patient. */
export function clippedOneByOne(tf: Tf, layers: readonly PrivateLayer[], { x, y, bounds }: PatientBatch, clip: number, loss: Loss): Float64Array {
  const variables = layers.flatMap(({ weights }) => weights.map((weight) => weight.read() as ReturnType<Tf['variable']>))
  const sum = new Float64Array(variables.reduce((size, variable) => size + variable.size, 0))
  for (let p = 0; p + 1 < bounds.length; p++) {
    const [from, rows] = [bounds[p] as number, (bounds[p + 1] as number) - (bounds[p] as number)]
    const parts = tf.tidy(() => {
      const [rowsX, rowsY] = [rowsOf(tf, x, from, rows), rowsOf(tf, y, from, rows)]
      const { grads } = tf.variableGrads(() => sumOfLosses(tf, outputOf(tf, layers, rowsX, loss), rowsY, loss), variables)
      return variables.map((variable) => (grads[variable.name] as Tensor).dataSync<'float32'>())
    })
    const square = parts.reduce((total, part) => part.reduce((inner, g) => inner + g * g, total), 0)
    const factor = clipFactor(square, clip)
    if (factor > 0) addScaled(parts, factor, sum)
  }
  return sum
}

const rowsOf = (tf: Tf, values: Tensor, from: number, rows: number): Tensor =>
  tf.slice(values, [from, ...values.shape.slice(1).map(() => 0)], [rows, ...values.shape.slice(1)])

function addScaled(parts: readonly Float32Array[], factor: number, into: Float64Array): void {
  let at = 0
  for (const part of parts) for (const g of part) into[at] = (into[at++] as number) + factor * g
}

/** 0 where the norm is no number. */
const clipFactor = (square: number, clip: number): number => {
  const most = clip * CLIP_MARGIN
  return Number.isFinite(square) ? (square > most * most ? most / Math.sqrt(square) : 1) : 0
}

/** As the layers compute it; for cross-entropy, logits. */
function outputOf(tf: Tf, layers: readonly PrivateLayer[], x: Tensor, loss: Loss): Tensor {
  let values = x
  layers.forEach((layer, i) => {
    const isLast = i === layers.length - 1
    if (!isLast || layer.kind !== 'dense' || loss !== 'binaryCrossentropy') values = layer.layer.apply(values, { training: true }) as Tensor
    else {
      const [kernel, bias] = layer.weights.map((weight) => weight.read()) as [Tensor, Tensor | undefined]
      values = tf.matMul(values, kernel)
      if (bias !== undefined) values = tf.add(values, bias)
    }
  })
  return values
}

/** Of each row the mean over outputs; cross-entropy is taken of logits, see `lossOf` in the trainer. */
function sumOfLosses(tf: Tf, out: Tensor, y: Tensor, loss: Loss): Scalar {
  const flat = tf.reshape(out, y.shape)
  const each = loss === 'binaryCrossentropy' ? tf.sub(tf.softplus(flat), tf.mul(flat, y)) : tf.square(tf.sub(flat, y))
  return tf.div(tf.sum(each), y.shape.at(-1) as number)
}

/** @throws ROTA-2386 for cross-entropy after a layer that gives no logits */
export function checkLoss(layers: readonly PrivateLayer[], loss: Loss): void {
  const last = layers.at(-1)
  const isFit = last?.kind === 'dense' && (last.activation === 'sigmoid' || last.activation === 'linear')
  if (loss === 'binaryCrossentropy' && !isFit)
    throw new RotaError('ROTA-2386', { reason: 'binaryCrossentropy needs a last Dense layer with activation sigmoid or linear' })
}
