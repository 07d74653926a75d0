/** The layers of TensorFlow.js: loaded beside a portable backend, part of the native packages. */
export type Tfl = typeof import('@tensorflow/tfjs-layers')
export type { layers, Sequential } from '@tensorflow/tfjs-layers'
