import { Seeded } from '#core/model/seeded.ts'
import type { Trainer } from '#ports/trainer.ts'

/** Trains nothing: adds a little noise to each weight, so that a round of a large model is all transport, arithmetic and checks. */
export function noiseTrainer(seed: number): Trainer {
  const random = new Seeded(seed)
  return {
    backend: 'noise',
    async train({ weights }) {
      const noisy = weights.slice()
      let word = random.word() | 1
      for (let i = 0; i < noisy.length; i++) {
        word = Math.imul(word, 1_664_525) + 1_013_904_223
        noisy[i] = (noisy[i] as number) + word * NOISE
      }
      return noisy
    },
    stop: async () => undefined,
  }
}

/** Of one count of a signed 32-bit word: weights move by at most 0.001. */
const NOISE = 0.001 / 2 ** 31
