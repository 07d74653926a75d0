import type { Tensor, Tensor4D, Tf } from '../tf.ts'
import { normaliseGroups } from './group-normalization.ts'
import type { PrivateLayer } from './private-layers.ts'

/** What a layer with weights took in, and the gradient of the loss by what it gave out (before its activation): all that its weights' gradients are made of. */
export interface Seen {
  readonly layer: PrivateLayer
  readonly x: Float32Array
  readonly xShape: readonly number[]
  readonly dShape: readonly number[]
  /** Set on the way back. */
  d: Float32Array
}

/**
 * The network on a batch, each layer's input noted on the way there and the gradient at its output on the way back. Weights' gradients are not computed: the
 * derivative is taken by `tap`, a number that the first layer with weights pretends to depend on.
 * @param logits leaves the last activation out
 */
export function watched(tf: Tf, layers: readonly PrivateLayer[], x: Tensor, tap: Tensor, logits: boolean, seen: Seen[]): Tensor {
  let values = x
  let reached = false
  layers.forEach((layer, i) => {
    if (layer.kind === 'plain') {
      values = layer.layer.apply(values, { training: true }) as Tensor
      return
    }
    const input = layer.kind === 'norm' ? normaliseGroups(tf, values, layer.groups, layer.epsilon) : values
    values = watchedLayer(tf, layer, input, reached ? null : tap, seen)
    reached = true
    if ((layer.kind === 'dense' || layer.kind === 'conv') && !(logits && i === layers.length - 1)) values = layer.activate(values)
  })
  return values
}

function watchedLayer(tf: Tf, layer: PrivateLayer, x: Tensor, tap: Tensor | null, seen: Seen[]): Tensor {
  const [kernel, bias] = layer.weights.map((weight) => weight.read()) as [Tensor, Tensor | undefined]
  const op = tf.customGrad((input) => {
    const value = linearPart(tf, layer, tap === null ? (input as Tensor) : x, kernel, bias)
    const note: Seen = { layer, x: x.dataSync<'float32'>(), xShape: x.shape, dShape: value.shape, d: NOTHING }
    seen.push(note)
    const gradFunc = (dy: Tensor): Tensor => {
      note.d = dy.dataSync<'float32'>()
      return tap === null ? backward(tf, layer, dy, kernel, x.shape) : tf.scalar(0)
    }
    return { value, gradFunc }
  })
  return op(tap ?? x)
}

/** What is linear in the layer's weights. */
function linearPart(tf: Tf, layer: PrivateLayer, x: Tensor, kernel: Tensor, bias: Tensor | undefined): Tensor {
  if (layer.kind === 'norm') return tf.add(tf.mul(x, kernel), bias as Tensor)
  const value = layer.kind === 'conv' ? convolve(tf, layer, x, kernel) : flatMatMul(tf, x, kernel, false)
  return bias === undefined ? value : tf.add(value, bias)
}

function backward(tf: Tf, layer: PrivateLayer, dy: Tensor, kernel: Tensor, shape: readonly number[]): Tensor {
  if (layer.kind === 'norm') return tf.mul(dy, kernel)
  if (layer.kind !== 'conv') return flatMatMul(tf, dy, kernel, true)
  const whole = asImages(shape)
  const back = tf.conv2dTranspose(
    tf.reshape(dy, asImages(dy.shape)) as Tensor4D,
    asFilter(tf, kernel),
    whole,
    [...layer.strides] as [number, number],
    layer.padding,
  )
  return tf.reshape(back, [...shape])
}

/** Dense layers work on the last axis, whatever is before it. */
function flatMatMul(tf: Tf, x: Tensor, kernel: Tensor, transpose: boolean): Tensor {
  const width = x.shape.at(-1) as number
  const out = tf.matMul(x.shape.length === 2 ? x : tf.reshape(x, [-1, width]), kernel, false, transpose)
  return x.shape.length === 2 ? out : tf.reshape(out, [...x.shape.slice(0, -1), out.shape.at(-1) as number])
}

function convolve(tf: Tf, layer: PrivateLayer & { kind: 'conv' }, x: Tensor, kernel: Tensor): Tensor {
  const out = tf.conv2d(tf.reshape(x, asImages(x.shape)) as Tensor4D, asFilter(tf, kernel), [...layer.strides] as [number, number], layer.padding)
  return x.shape.length === 4 ? out : tf.reshape(out, [out.shape[0] as number, out.shape[2] as number, out.shape[3] as number])
}

/** A sequence is an image one pixel high. */
export const asImages = (shape: readonly number[]): [number, number, number, number] =>
  shape.length === 4 ? (shape as [number, number, number, number]) : [shape[0] as number, 1, shape[1] as number, shape[2] as number]
function asFilter(tf: Tf, kernel: Tensor): Tensor4D {
  const shape = [...(kernel.shape.length === 4 ? [] : [1]), ...(kernel.shape as number[])] as [number, number, number, number]
  return tf.reshape(kernel, shape) as Tensor4D
}

const NOTHING = new Float32Array(0)
