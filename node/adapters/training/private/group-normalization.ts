import type { Tensor, Tf } from '../tf.ts'
import type { Tfl } from './tfl.ts'

interface Config {
  readonly name?: string
  /** Channels are normalised in so many groups; it must divide their number. Default 1. */
  readonly groups?: number
  readonly epsilon?: number
}

const made = new WeakMap<object, GroupNormalizationClass>()
export type GroupNormalizationClass = ReturnType<typeof define>

/**
 * Group normalisation as a layer of TensorFlow.js, which has none: what batch normalisation does over a batch, within each row over groups of channels (the
 * last axis). No row's result depends on another's, so it can be trained with differential privacy.
 * @see Wu and He 2018, arXiv:1803.08494
 */
export function groupNormalization(tf: Tf, tfl: Tfl): GroupNormalizationClass {
  const known = made.get(tfl)
  if (known !== undefined) return known
  const defined = define(tf, tfl)
  made.set(tfl, defined)
  tf.serialization.registerClass(defined)
  return defined
}

/** To mean 0 and variance 1 over the positions and channels of each row's groups. */
export function normaliseGroups(tf: Tf, x: Tensor, groups: number, epsilon: number): Tensor {
  const [rows, channels] = [x.shape[0] as number, x.shape.at(-1) as number]
  const grouped = tf.reshape(x, [rows, -1, groups, channels / groups])
  const mean = tf.mean(grouped, [1, 3], true)
  const centred = tf.sub(grouped, mean)
  const variance = tf.mean(tf.square(centred), [1, 3], true)
  return tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), x.shape)
}

function define(tf: Tf, tfl: Tfl) {
  return class GroupNormalization extends tfl.layers.Layer {
    static readonly className = 'GroupNormalization'
    readonly groups: number
    readonly epsilon: number

    constructor({ groups = 1, epsilon = 1e-3, ...rest }: Config = {}) {
      super(rest)
      this.groups = groups
      this.epsilon = epsilon
    }

    override build(inputShape: number[]): void {
      const channels = inputShape.at(-1) as number
      if (!(channels % this.groups === 0)) throw new TypeError(`${channels} channels in ${this.groups} groups`)
      this.addWeight('gamma', [channels], 'float32', tfl.initializers.ones(), undefined, true)
      this.addWeight('beta', [channels], 'float32', tfl.initializers.zeros(), undefined, true)
      this.built = true
    }

    override call(inputs: Tensor | Tensor[]): Tensor {
      const [gamma, beta] = this.trainableWeights.map((weight) => weight.read()) as [Tensor, Tensor]
      return tf.tidy(() => tf.add(tf.mul(normaliseGroups(tf, Array.isArray(inputs) ? (inputs[0] as Tensor) : inputs, this.groups, this.epsilon), gamma), beta))
    }

    override getConfig() {
      return { ...super.getConfig(), groups: this.groups, epsilon: this.epsilon }
    }
  }
}
