import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type { NeuralTask, PrivateSteps } from '#core/learner/learner.ts'
import { oneRowEach } from '#core/learner/private/units.ts'
import type { RandomSource } from '#core/ring/to-ring.ts'
import type { Tf } from '../tf.ts'
import { fitPrivate } from './fit-private.ts'
import { privateModel } from './private-model.ts'
import type { Tfl } from './tfl.ts'

/** The system's own generator: noise that can be drawn again can be taken off. */
const systemRandom: RandomSource = { bytes: (length) => randomBytes(length) }

/**
 * Trains a task that names private steps, each row a patient of its own, on whichever backend runs here. Leaves no tensor behind.
 * @param folder of the native package, which has layers of its own; null for the portable backends
 * @throws as `fitPrivate`
 */
export async function trainPrivately(
  tf: Tf,
  folder: string | null,
  task: NeuralTask & { readonly privacy: PrivateSteps },
  pause: () => Promise<void> | void,
): Promise<Float32Array> {
  const tfl = folder === null ? await import('@tensorflow/tfjs-layers') : (createRequire(import.meta.url)(folder) as Tfl)
  const { layers, inputs, weights, features, labels, loss, learningRate, privacy } = task
  const model = privateModel(tf, tfl, layers, [inputs], weights)
  try {
    const patients = oneRowEach(features.length / inputs)
    return await fitPrivate(tf, model, { features, labels, patients }, { ...privacy, loss, learningRate }, { random: systemRandom, pause })
  } finally {
    model.dispose()
  }
}
