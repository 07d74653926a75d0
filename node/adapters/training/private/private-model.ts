import { RotaError } from '#base/errors.ts'
import type { NeuralTask } from '#core/learner/learner.ts'
import type { Tf } from '../tf.ts'
import { groupNormalization } from './group-normalization.ts'
import type { Sequential, Tfl } from './tfl.ts'

type LayerClass = new (config: Record<string, unknown>) => Sequential['layers'][number]

/**
 * A model from layers as protocols list them, of any class that TensorFlow.js knows and GroupNormalization, with the given weights: those of each layer in
 * its order, kernel before bias. To be disposed of by the caller.
 * @throws ROTA-2386 for a class or a configuration that TensorFlow.js refuses, and for weights of another number
 */
export function privateModel(tf: Tf, tfl: Tfl, layers: NeuralTask['layers'], inputShape: readonly number[], weights: Float32Array): Sequential {
  groupNormalization(tf, tfl)
  const known = tf.serialization.SerializationMap.getMap().classNameMap
  const made = layers.map(({ className, config }, i) => {
    const layerClass = known[className]?.[0] as unknown as LayerClass | undefined
    if (layerClass === undefined) throw unfit(`no layer of class ${className}`)
    return attempt(() => new layerClass({ ...config, ...(i === 0 ? { inputShape: [...inputShape] } : {}) }))
  })
  const model = attempt(() => tfl.sequential({ layers: made }))
  setWeights(tf, model, weights)
  return model
}

function setWeights(tf: Tf, model: Sequential, weights: Float32Array): void {
  const variables = model.layers.flatMap((layer) => layer.trainableWeights)
  const sizes = variables.map(({ shape }) => shape.reduce<number>((product, length) => product * (length as number), 1))
  const count = sizes.reduce((sum, size) => sum + size, 0)
  if (count !== weights.length) {
    model.dispose()
    throw unfit(`${weights.length} weights for a model of ${count}`)
  }
  let at = 0
  variables.forEach((variable, i) => {
    const tensor = tf.tensor(weights.slice(at, (at += sizes[i] as number)), variable.shape as number[])
    variable.write(tensor)
    tf.dispose(tensor)
  })
}

/** TensorFlow's words about a layer's configuration, which is the study's and nobody's data. */
function attempt<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw unfit((error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '')
  }
}

const unfit = (reason: string): RotaError => new RotaError('ROTA-2386', { reason })
