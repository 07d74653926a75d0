import type { NetShape } from './dense-net.ts'
import { type BackendReport, TfjsTrainer, type TfjsTrainerOptions } from './tfjs-trainer.ts'

/** A small clinical network: what is timed when no study is named. */
export const USUAL_SHAPE: NetShape = {
  layers: [
    { className: 'Dense', config: { units: 64, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 64, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } },
  ],
  inputs: 30,
  loss: 'binaryCrossentropy',
  batchSize: 32,
}

/** Each backend: whether it can be used, why not, what the self-test said, milliseconds per step. Never throws for a missing one. */
export async function listBackends(shape: NetShape = USUAL_SHAPE, options: TfjsTrainerOptions = {}): Promise<readonly BackendReport[]> {
  const trainer = new TfjsTrainer(options)
  try {
    return await trainer.report(shape)
  } finally {
    await trainer.stop()
  }
}
