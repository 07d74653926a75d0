import { RotaError } from '#base/errors.ts'
import type { NeuralTask } from '#core/learner/learner.ts'
import type { Trainer } from '#ports/trainer.ts'
import { BACKENDS, type Backend, type BackendName, backendNamed } from './backends.ts'
import { checkTask, type NetShape } from './dense-net.ts'
import { EngineFailure, EngineHost } from './engine-host.ts'
import type { Description } from './messages.ts'
import { findNative } from './native-package.ts'
import { can, type SelfTest } from './self-test.ts'

export interface TfjsTrainerOptions {
  /** 'auto' (default) takes the fastest that passes the self-test. */
  readonly backend?: BackendName | 'auto'
  /** A folder whose node_modules hold the native packages; default: this program's own. */
  readonly nativeFrom?: string
  readonly onChosen?: (report: BackendReport) => void
}

/** One rung of the ladder, looked at. */
export interface BackendReport {
  readonly name: BackendName
  readonly usable: boolean
  /** Why not, or ''. */
  readonly reason: string
  readonly device: string
  readonly selfTests: readonly SelfTest[]
  /** On the model that was asked for. */
  readonly msPerStep: number | null
}

/**
 * Trains dense models off the main thread. Before the first training of a model each backend that loads and passes the
 * numeric self-test is timed on that very model, and the fastest is taken.
 */
export class TfjsTrainer implements Trainer {
  readonly #options: TfjsTrainerOptions
  readonly #engines = new Map<BackendName, EngineHost>()
  readonly #worker = new EngineHost('worker')
  readonly #chosen = new Map<string, Promise<BackendReport>>()
  #backend: string | null = null
  #stopped = false

  constructor(options: TfjsTrainerOptions = {}) {
    this.#options = options
    if (options.backend !== undefined && options.backend !== 'auto' && backendNamed(options.backend) === undefined) {
      throw new RotaError('ROTA-3056', { backend: options.backend, reason: `known are ${BACKENDS.map((b) => b.name).join(', ')}` })
    }
  }

  get backend(): string | null {
    return this.#backend
  }

  /** @throws ROTA-3050 no backend, 3051 the task, 3052 the process died (retry), 3053 the result, 3057 stopped, or the signal's reason */
  readonly train = async (task: NeuralTask, signal: AbortSignal): Promise<Float32Array> => {
    checkTask(task)
    signal.throwIfAborted()
    const { name } = await this.#choose(task)
    this.#backend = name
    try {
      // Fresh copies: a view would drag its whole buffer along.
      const own = {
        ...task,
        weights: task.weights.slice(),
        features: task.features.slice(),
        labels: task.labels.slice(),
        shuffleSeed: task.shuffleSeed.slice(),
      }
      return await this.#engine(name).ask<Float32Array>({ do: 'train', backend: name, folder: this.#folder(name), task: own }, signal)
    } catch (error) {
      throw error instanceof EngineFailure ? new RotaError('ROTA-3051', { reason: error.message }) : error
    }
  }

  /** Every rung, timed on `shape`; for `rota backend list` and `test`. */
  async report(shape: NetShape): Promise<readonly BackendReport[]> {
    const reports: BackendReport[] = []
    for (const backend of BACKENDS) reports.push(await this.#look(backend, shape)) // one at a time, or they would slow each other
    return reports
  }

  /** Process or thread of the backend in use; null when it is not running. */
  get engineId(): number | null {
    const name = backendNamed(this.#backend ?? '')?.name
    return name === undefined ? null : this.#engine(name).runningId
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([this.#worker, ...this.#engines.values()].map((engine) => engine.stop()))
  }

  #choose(shape: NetShape): Promise<BackendReport> {
    const key = JSON.stringify([shape.layers, shape.inputs, shape.loss, shape.batchSize])
    const choice = this.#chosen.get(key) ?? this.#pick(shape)
    this.#chosen.set(key, choice)
    choice.catch(() => this.#chosen.delete(key))
    return choice
  }

  async #pick(shape: NetShape): Promise<BackendReport> {
    const { backend: told = 'auto' } = this.#options
    const tried: BackendReport[] = []
    for (const backend of BACKENDS) if (told === 'auto' || told === backend.name) tried.push(await this.#look(backend, shape))
    if (this.#stopped) throw new RotaError('ROTA-3057')
    const usable = tried.filter((report) => report.usable).sort((a, b) => (a.msPerStep ?? 0) - (b.msPerStep ?? 0))
    const best = usable[0]
    const reasons = tried.map((report) => `${report.name}: ${report.reason}`).join('; ')
    if (best === undefined && told !== 'auto') throw new RotaError('ROTA-3056', { backend: told, reason: reasons })
    if (best === undefined) throw new RotaError('ROTA-3050', { tried: reasons })
    await this.#release(best.name)
    this.#options.onChosen?.(best)
    return best
  }

  async #look(backend: Backend, shape: NetShape): Promise<BackendReport> {
    const { name } = backend
    const unusable = (reason: string, found: Partial<Description> = {}): BackendReport => ({
      name,
      usable: false,
      reason,
      device: found.device ?? '',
      selfTests: found.selfTests ?? [],
      msPerStep: null,
    })
    const missing = this.#missing(backend)
    if (missing !== null) return unusable(missing)
    try {
      const folder = this.#folder(name)
      const found = await this.#engine(name).ask<Description>({ do: 'describe', backend: name, folder })
      const failed = found.selfTests.filter((test) => test.capability === 'dense' && !test.passed).map((test) => test.name)
      if (!can(found.selfTests, 'dense')) return unusable(`self-test failed: ${failed.join(', ')}`, found)
      const msPerStep = await this.#engine(name).ask<number>({ do: 'time', backend: name, folder, shape })
      return { name, usable: true, reason: '', ...found, msPerStep }
    } catch (error) {
      return unusable(error instanceof Error ? error.message : String(error))
    }
  }

  #missing(backend: Backend): string | null {
    if (backend.package === null) return null
    const { folder, hasAddon } = findNative(backend.package, this.#options.nativeFrom ?? null)
    if (folder === null) return 'not installed'
    return hasAddon ? null : 'its native part is not installed (rota backend install)'
  }

  #folder(name: BackendName): string | null {
    const wanted = backendNamed(name)?.package ?? null
    return wanted === null ? null : findNative(wanted, this.#options.nativeFrom ?? null).folder
  }

  #engine(name: BackendName): EngineHost {
    if (backendNamed(name)?.place === 'worker') return this.#worker
    const engine = this.#engines.get(name) ?? new EngineHost('child')
    this.#engines.set(name, engine)
    return engine
  }

  /** Ends the native processes that lost the race: each holds a few hundred megabytes. */
  async #release(winner: BackendName): Promise<void> {
    const losers = [...this.#engines].filter(([name]) => name !== winner)
    for (const [name, engine] of losers) {
      this.#engines.delete(name)
      await engine.stop()
    }
  }
}
