import type { Clock, Host, Log, LogFields } from '#ports/host.ts'
import { forever, type Life } from './life.ts'
import type { SimRandom } from './random.ts'
import type { SimTime } from './time.ts'

export interface LogLine {
  readonly atMs: number
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly fields: LogFields
}

/** Virtual time as one site's clock shows it, which may be wrong and may jump; how long a sleep lasts does not depend on it. Who sleeps when the site's life ends never wakes. */
export class SimClock implements Clock {
  readonly #time: SimTime
  readonly #life: Life

  constructor(time: SimTime, life: Life) {
    this.#time = time
    this.#life = life
  }

  nowMs(): number {
    return this.#time.nowMs + this.#life.trouble.offsetMs
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#time.sleep(ms, signal)
    if (!this.#life.alive) await forever()
  }
}

/** Keeps at least the latest `limit` lines; debug lines only where they are asked for. */
export class SimLog implements Log {
  readonly lines: LogLine[] = []
  readonly #clock: Clock
  readonly #limit: number
  readonly #debug: boolean

  constructor(clock: Clock, options: { readonly limit?: number; readonly debug?: boolean } = {}) {
    this.#clock = clock
    this.#limit = options.limit ?? 2_000
    this.#debug = options.debug ?? false
  }

  info = (event: string, fields: LogFields = {}): void => this.#write('info', event, fields)
  warn = (event: string, fields: LogFields = {}): void => this.#write('warn', event, fields)
  error = (event: string, fields: LogFields = {}): void => this.#write('error', event, fields)
  debug = (event: string, fields: LogFields = {}): void => {
    if (this.#debug) this.#write('debug', event, fields)
  }

  #write(level: LogLine['level'], event: string, fields: LogFields): void {
    this.lines.push({ atMs: this.#clock.nowMs(), level, event, fields })
    if (this.lines.length > 2 * this.#limit) this.lines.splice(0, this.lines.length - this.#limit)
  }
}

export interface SimHost extends Host {
  readonly random: SimRandom
  readonly log: SimLog
}
