import type { Log } from '#ports/host.ts'
import type { Trainer } from '#ports/trainer.ts'
import { TfjsTrainer, type TfjsTrainerOptions } from './tfjs-trainer.ts'

export interface CreateTrainerOptions extends TfjsTrainerOptions {
  readonly log?: Log
}

/** Costs nothing until the first neural training: no thread is started and nothing of TensorFlow.js is loaded before. */
export function createTrainer(options: CreateTrainerOptions = {}): Trainer {
  const { log, ...rest } = options
  const chosen = (backend: string, msPerStep: number | null) => log?.info('trainer.backend', { backend, ms: msPerStep })
  return new TfjsTrainer({ ...rest, onChosen: (report) => chosen(report.name, report.msPerStep) })
}
