import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorCode, type ErrorDetails, isRotaError } from '#base/errors.ts'
import { type Simulation, simulate } from './simulate.ts'
import type { SimulateOptions } from './simulate-options.ts'

/** What the thread says to `simulateApart`. */
export type FromThread =
  | { readonly kind: 'round'; readonly text: string }
  | { readonly kind: 'done'; readonly simulation: Simulation }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly details: ErrorDetails }
  | { readonly kind: 'broken'; readonly error: unknown }

const say = (message: FromThread): void => parentPort?.postMessage(message)

try {
  const simulation = await simulate(workerData as SimulateOptions, { signal: new AbortController().signal, onRound: (text) => say({ kind: 'round', text }) })
  say({ kind: 'done', simulation })
} catch (error) {
  say(isRotaError(error) ? { kind: 'failed', code: error.code, details: error.details } : { kind: 'broken', error })
}
