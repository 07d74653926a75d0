import { Seeded } from '#core/model/seeded.ts'
import type { Trainer } from '#ports/trainer.ts'

/** Trains nothing: adds a little noise to each weight, so that a round of a large model is all transport, arithmetic and checks. */
export function noiseTrainer(seed: number): Trainer {
  const random = new Seeded(seed)
  return {
    backend: 'noise',
    // The weights are the trainer's own copy.
    async train({ weights }) {
      const noise = Float32Array.from({ length: NOISES }, () => (2 * random.uniform() - 1) * LARGEST)
      for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] as number) + (noise[i & (NOISES - 1)] as number)
      return weights
    },
    stop: async () => undefined,
  }
}

/** Drawn once a training, and used over and over: what a weight moves by makes no difference to the work. */
const NOISES = 1 << 16
const LARGEST = 0.001
