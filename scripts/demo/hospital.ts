import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { NodeEvent } from '#app/node/run-node.ts'
import { DemoError } from './demo-error.ts'
import { followFile } from './follow-file.ts'
import { BIN } from './rota.ts'

const STOP_LIMIT_MS = 15_000

export type Heard = { readonly hospital: Hospital; readonly event: NodeEvent }

/** One hospital: its folder, and its node as an operating-system process of its own (`rota run`), which can be ended and started again. */
export class Hospital {
  readonly name: string
  readonly folder: string
  /** Its steps and rounds, one JSON object a line, over all its lives. */
  readonly eventsFile: string
  readonly logFile: string
  readonly #hear: (heard: Heard) => void
  #child: ChildProcess | null = null
  #following: { stop(): Promise<void> } | null = null

  constructor(name: string, folder: string, hear: (heard: Heard) => void) {
    this.name = name
    this.folder = folder
    this.eventsFile = join(folder, 'events.jsonl')
    this.logFile = join(folder, 'node.log')
    this.#hear = hear
  }

  /** Null while its node does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  get runs(): boolean {
    return this.#child !== null
  }

  /**
   * Its output goes to a file, and it is in a process group of its own: a network that is kept lives on, and Ctrl-C reaches the demo alone,
   * which ends its nodes in order.
   * @param drill row of the protocol before which it is to wait
   */
  start(drill: string | null = null): void {
    const output = openSync(this.eventsFile, 'a')
    const words = ['run', '--folder', this.folder, '--json', '--log-format', 'json', '--log-file', this.logFile, ...(drill === null ? [] : ['--drill', drill])]
    const child = spawn(process.execPath, [BIN, ...words], { stdio: ['ignore', output, output], detached: true })
    closeSync(output)
    child.unref()
    this.#child = child
    this.#following ??= followFile(this.eventsFile, (line) => this.#tell(line))
    child.once('exit', () => {
      if (this.#child === child) this.#child = null
    })
  }

  /** As a power cut would: nothing is said, nothing is finished. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Lets it finish or hand over its step. @throws DemoError when it does not end */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Leaves the node to itself. */
  async release(): Promise<void> {
    await this.#following?.stop()
    this.#following = null
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === null) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    await gone
    clearTimeout(timer)
  }

  #tell(line: string): void {
    if (line.startsWith('{"event"')) this.#hear({ hospital: this, event: JSON.parse(line) as NodeEvent })
  }

  /** @throws DemoError when its process has ended by itself */
  mustRun(): void {
    if (!this.runs) throw new DemoError(`the node of ${this.name} ended by itself`, `Its log: ${this.logFile} and ${this.eventsFile}`)
  }
}
