/** TensorFlow.js as every backend offers it; the native packages export the same functions. */
export type Tf = typeof import('@tensorflow/tfjs-core')
export type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core'
