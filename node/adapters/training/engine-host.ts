import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { RotaError } from '#base/errors.ts'
import type { Answer, Request } from './messages.ts'

type Ask = Request extends infer R ? (R extends { do: 'abort' } ? never : Omit<R, 'id'>) : never

/** Time for a training to end between two steps after an abort; then its process is ended. */
const ABORT_GRACE_MS = 2000
const KILL_GRACE_MS = 2000

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * A training process as seen from the node. Started at the first question, and again at the next one after it died.
 * It keeps the node alive only while it has a question to answer.
 */
export class EngineHost {
  readonly #place: 'worker' | 'child'
  readonly #program: URL
  #running: Running | null = null
  #nextId = 1
  #stopped = false

  constructor(place: 'worker' | 'child', program: URL = engine) {
    this.#place = place
    this.#program = program
  }

  /** For tests and logs: the child's process id or the worker's thread id. */
  get runningId(): number | null {
    return this.#running?.id ?? null
  }

  /**
   * @throws ROTA-3052 when the process dies meanwhile, 3057 after stop, the signal's reason when it aborts, and what the engine answers
   */
  async ask<T>(question: Ask, signal?: AbortSignal): Promise<T> {
    if (this.#stopped) throw new RotaError('ROTA-3057')
    signal?.throwIfAborted()
    const running = this.#running ?? this.#start()
    const id = this.#nextId++
    const onAbort = () => running.abort(id, signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return (await running.ask({ ...question, id } as Request)) as T
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Ends the process; questions under way fail with ROTA-3057. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running?.end(new RotaError('ROTA-3057'))
  }

  #start(): Running {
    const running: Running = new Running(this.#place, this.#program, () => {
      if (this.#running === running) this.#running = null
    })
    this.#running = running
    return running
  }
}

/** One life of the process. */
class Running {
  readonly #pending = new Map<number, Pending>()
  readonly #process: Worker | ChildProcess
  readonly #ended: Promise<void>
  #cause: RotaError | null = null

  constructor(place: 'worker' | 'child', program: URL, onEnd: () => void) {
    const process = place === 'worker' ? startWorker(program) : startChild(program)
    this.#process = process
    process.on('message', (answer: Answer) => this.#settle(answer))
    let reason = ''
    process.on('error', (error: Error) => {
      reason = error.message
    })
    this.#ended = new Promise((resolve) => {
      const end = (code: number | null, signalName?: string | null) => {
        onEnd()
        const error = this.#cause ?? new RotaError('ROTA-3052', { backend: place, reason: reason || signalName || `exit code ${code}` })
        for (const { reject } of this.#pending.values()) reject(error)
        this.#pending.clear()
        resolve()
      }
      if (process instanceof Worker) process.on('exit', end)
      else process.on('close', end)
    })
    this.#rest()
  }

  get id(): number | null {
    return this.#process instanceof Worker ? this.#process.threadId : (this.#process.pid ?? null)
  }

  ask(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#pending.set(request.id, { resolve, reject })
      this.#rest()
      this.#post(request)
    })
  }

  abort(id: number, reason: unknown): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.set(id, { resolve: () => pending.reject(reason), reject: () => pending.reject(reason) })
    this.#post({ id, do: 'abort' })
    setTimeout(() => {
      if (this.#pending.has(id)) void this.end(null)
    }, ABORT_GRACE_MS).unref()
  }

  async end(cause: RotaError | null): Promise<void> {
    this.#cause = cause
    const { ended, process } = { ended: this.#ended, process: this.#process }
    process.ref()
    if (process instanceof Worker) await process.terminate()
    else {
      process.kill('SIGTERM')
      const force = setTimeout(() => process.kill('SIGKILL'), KILL_GRACE_MS)
      await ended
      clearTimeout(force)
    }
    await ended
  }

  #post(request: Request): void {
    if (this.#process instanceof Worker) this.#process.postMessage(request)
    else if (this.#process.connected) this.#process.send(request)
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    this.#rest()
    if (answer.ok) pending?.resolve(answer.value)
    else pending?.reject(answer.code === null ? new EngineFailure(answer.reason) : new RotaError(answer.code, answer.details))
  }

  /** Without questions the process does not keep the node from ending. */
  #rest(): void {
    const busy = this.#pending.size > 0
    const channel = this.#process instanceof Worker ? null : this.#process.channel
    for (const handle of [this.#process, channel]) {
      if (busy) handle?.ref()
      else handle?.unref()
    }
  }
}

/** What a backend said that is not in the catalogue; the trainer turns it into an entry. */
export class EngineFailure extends Error {}

const engine = new URL('./engine.ts', import.meta.url)

function startWorker(program: URL): Worker {
  return new Worker(program, { execArgv: [], name: 'rota-training' })
}

/** Its output is nobody's: the native library writes to it at will. */
function startChild(program: URL): ChildProcess {
  return fork(fileURLToPath(program), { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
}
