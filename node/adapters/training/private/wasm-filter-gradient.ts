import type { Tensor4D, Tf } from '../tf.ts'
import { convShape, filterGradient } from './filter-gradient.ts'
import { OuterProducts } from './outer-products.ts'

interface Attributes {
  readonly strides: number | readonly [number, number]
  readonly pad: 'same' | 'valid'
  readonly filterShape: readonly [number, number, number, number]
}

/**
 * Gives the wasm backend the gradient of a convolution by its filter, which TensorFlow.js 4.22 has not. Needed where one patient's gradient is taken by its
 * own derivatives (`clippedOneByOne`). Rows are looked at in float64 and added up in order. Does nothing where the backend has the kernel.
 */
export function provideFilterGradient(tf: Tf): void {
  if (tf.getKernel(KERNEL, 'wasm') !== undefined) return
  const products = new OuterProducts()
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const [x, dy] = [inputs['x'] as unknown as Tensor4D, inputs['dy'] as unknown as Tensor4D]
      const { strides, pad, filterShape } = attrs as unknown as Attributes
      if (pad !== 'same' && pad !== 'valid') throw new TypeError(`a convolution padded by ${JSON.stringify(pad)}`)
      const both = typeof strides === 'number' ? ([strides, strides] as const) : strides
      const shape = convShape(x.shape, dy.shape, [filterShape[0], filterShape[1]], both, pad)
      const gradient = new Float64Array(filterShape.reduce((product, length) => product * length, 1))
      const valuesOf = (tensor: Tensor4D): Float32Array => tf.engine().readSync(tensor.dataId) as Float32Array
      filterGradient(products, shape, valuesOf(x), valuesOf(dy), 0, x.shape[0], gradient)
      return tf.engine().makeTensorFromDataId(writeOf(tf, Float32Array.from(gradient), filterShape), [...filterShape], 'float32')
    },
  })
}

const KERNEL = 'Conv2DBackpropFilter'

const writeOf = (tf: Tf, values: Float32Array, shape: readonly number[]): object =>
  (tf.backend() as unknown as { write(values: Float32Array, shape: readonly number[], dtype: 'float32'): object }).write(values, shape, 'float32')
