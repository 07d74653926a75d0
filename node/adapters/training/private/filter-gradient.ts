import { type OuterProducts, roundUp } from './outer-products.ts'

/** Sizes of a convolution: images of height × width × channels, windows, and how far apart and beyond the edge they start. */
export interface ConvShape {
  readonly image: readonly [number, number, number]
  readonly window: readonly [number, number]
  readonly out: readonly [number, number, number]
  readonly strides: readonly [number, number]
  /** Zeros above and to the left. */
  readonly before: readonly [number, number]
}

type Four = readonly [number, number, number, number]

/** As TensorFlow pads: 'same' puts the odd zero below and to the right. */
export function convShape(
  [, height, width, channels]: Four,
  [, rows, columns, filters]: Four,
  window: readonly [number, number],
  strides: readonly [number, number],
  padding: 'same' | 'valid',
): ConvShape {
  const before = (size: number, out: number, reach: number, stride: number): number =>
    padding === 'valid' ? 0 : Math.floor(Math.max(0, (out - 1) * stride + reach - size) / 2)
  return {
    image: [height, width, channels],
    window,
    out: [rows, columns, filters],
    strides,
    before: [before(height, rows, window[0], strides[0]), before(width, columns, window[1], strides[1])],
  }
}

/**
 * Sets `into` to the sum of the gradients of rows `from` to `to` by the filter, [window, channels, filters], and by the bias where there is room for it.
 *
 * A position t of the output gives the filter the outer product of its window u_t and its derivative d_t, so a convolution is a dense layer on many rows and
 * the pairs formula of `dense-share.ts` holds for it as well; but there are hundreds of positions, all pairs of them are more than the filter has entries,
 * and the gradient itself is formed. Windows of one line lie side by side in memory, so nothing is unfolded.
 */
export function filterGradient(
  products: OuterProducts,
  shape: ConvShape,
  x: Float32Array,
  d: Float32Array,
  from: number,
  to: number,
  into: Float64Array,
): void {
  const { image, window, out, strides } = shape
  const [channels, filters] = [image[2], out[2]]
  const [line, run, wide] = [((out[1] - 1) * strides[1] + window[1]) * channels, window[1] * channels, roundUp(filters)]
  products.clear()
  const padded = products.take(((out[0] - 1) * strides[0] + window[0]) * line)
  const derivative = products.take(out[0] * out[1] * wide)
  const block = roundUp(run) * wide
  const g = products.take(window[0] * block)
  for (let row = from; row < to; row++) {
    layImage(products.numbers, padded, shape, x, row)
    layDerivative(products.numbers, derivative, wide, d.subarray(row * out[0] * out[1] * filters, (row + 1) * out[0] * out[1] * filters), filters)
    for (let y = 0; y < window[0]; y++) {
      const steps = { at: padded + y * line, row: strides[0] * line, column: strides[1] * channels }
      products.add(steps, { at: derivative, row: out[1] * wide, column: wide }, out[0], out[1], g + y * block, run, filters)
    }
  }
  const size = window[0] * run * filters
  for (let y = 0, i = 0; y < window[0]; y++)
    for (let k = 0; k < run; k++) for (let j = 0; j < filters; j++) into[i++] = products.numbers[g + y * block + k * wide + j] as number
  if (into.length > size) biasGradient(d.subarray(from * out[0] * out[1] * filters, to * out[0] * out[1] * filters), into.subarray(size))
}

/** Zeros around it stay from when the place was taken. */
function layImage(numbers: Float64Array, at: number, { image, window, out, strides, before }: ConvShape, x: Float32Array, row: number): void {
  const [height, width, channels] = image
  const lines = (out[0] - 1) * strides[0] + window[0]
  const columns = (out[1] - 1) * strides[1] + window[1]
  const shown = Math.min(width, columns - before[1]) * channels
  for (let y = 0; y < Math.min(height, lines - before[0]); y++) {
    const start = (row * height + y) * width * channels
    numbers.set(x.subarray(start, start + shown), at + ((y + before[0]) * columns + before[1]) * channels)
  }
}

function layDerivative(numbers: Float64Array, at: number, wide: number, d: Float32Array, filters: number): void {
  if (wide === filters) numbers.set(d, at)
  else for (let i = 0, t = at; i < d.length; i += filters, t += wide) for (let j = 0; j < filters; j++) numbers[t + j] = d[i + j] as number
}

function biasGradient(d: Float32Array, into: Float64Array): void {
  into.fill(0)
  for (let i = 0; i < d.length; ) for (let j = 0; j < into.length; j++) into[j] = (into[j] as number) + (d[i++] as number)
}
