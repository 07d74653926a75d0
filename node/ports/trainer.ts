import type { TrainNeural } from '#core/learner/learner.ts'

/** Trains tfjs models off the main thread on the best backend that passed its numeric self-test. */
export interface Trainer {
  readonly train: TrainNeural
  /** The backend in use, e.g. 'wasm'; null before the first training. */
  readonly backend: string | null
  stop(): Promise<void>
}
