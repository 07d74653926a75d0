import { setImmediate as turn } from 'node:timers/promises'
import { isMainThread, parentPort } from 'node:worker_threads'
import { isRotaError, RotaError } from '#base/errors.ts'
import { loadBackend } from './load-backend.ts'
import type { Answer, Description, Request } from './messages.ts'
import type { trainPrivately } from './private/private-train.ts'
import { selfTest } from './self-test.ts'
import { msPerStep } from './time-steps.ts'
import { trainOn } from './train-loop.ts'

/** The training process: a worker thread, or a child for native backends. One job after the other; `abort` gets in between. */

/** Longest time for which messages wait during training. */
const TURN_EVERY_MS = 20

const aborted = new Set<number>()
let queue: Promise<unknown> = Promise.resolve()

const send = (answer: Answer, transfer: ArrayBuffer[] = []): void => {
  if (!isMainThread && parentPort !== null) parentPort.postMessage(answer, transfer)
  else process.send?.(answer)
}

function receive(request: Request): void {
  if (request.do === 'abort') aborted.add(request.id)
  else queue = queue.then(() => answer(request))
}

async function answer(request: Exclude<Request, { do: 'abort' }>): Promise<void> {
  try {
    const value = await work(request)
    send({ id: request.id, ok: true, value }, value instanceof Float32Array ? [value.buffer as ArrayBuffer] : [])
  } catch (error) {
    send(
      isRotaError(error)
        ? { id: request.id, ok: false, code: error.code, details: error.details }
        : { id: request.id, ok: false, code: null, reason: reasonOf(error) },
    )
  } finally {
    aborted.delete(request.id)
  }
}

async function work(request: Exclude<Request, { do: 'abort' }>): Promise<Description | number | Float32Array> {
  const { tf, device } = await loadBackend(request.backend, request.folder)
  if (request.do === 'describe') return { device, selfTests: await selfTest(tf) }
  if (request.do === 'time') return msPerStep(tf, request.shape)
  let turnedAt = performance.now()
  const pause = async (): Promise<void> => {
    if (performance.now() - turnedAt > TURN_EVERY_MS) {
      await turn()
      turnedAt = performance.now()
    }
    if (aborted.has(request.id)) throw new RotaError('ROTA-3057')
  }
  const { task } = request
  const { privacy } = task
  const weights = privacy === undefined ? await trainOn(tf, task, pause) : await privately(tf, request.folder, { ...task, privacy }, pause)
  if (!weights.every(Number.isFinite)) throw new RotaError('ROTA-3053')
  return weights
}

/** What private training needs is loaded where a study asks for it. */
async function privately(...call: Parameters<typeof trainPrivately>): Promise<Float32Array> {
  const { trainPrivately } = await import('./private/private-train.ts')
  return trainPrivately(...call)
}

/** First line only: the native package's errors bring a page of advice. */
const reasonOf = (error: unknown): string => String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''

if (!isMainThread && parentPort !== null) parentPort.on('message', receive)
else process.on('message', receive)
