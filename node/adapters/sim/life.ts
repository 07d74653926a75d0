import type { SiteId } from '#base/ids.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { Crash, CrashPoint } from './faults.ts'
import type { SimTime } from './time.ts'
import { Trouble } from './trouble.ts'

/** What a life is lived with. */
export interface LifeSurroundings {
  readonly time: SimTime
  readonly trouble: Trouble
  readonly crashes: readonly Crash[]
  /** How often each moment was reached, over all lives of the site. */
  readonly visits: Map<string, number>
  /** Whether a planned crash may happen now: not when it would leave too few sites standing. */
  readonly mayCrash: (crash: Crash) => boolean
  readonly onCrash: (crash: Crash) => void
}

/**
 * One life of a site, from its start to a crash. Afterwards no call that it made ever returns, as if its process were gone;
 * `ended` tells whoever drives it.
 */
export class Life {
  readonly site: SiteId
  readonly #with: LifeSurroundings
  readonly #crashes: readonly Crash[]
  readonly #end = new AbortController()
  /** Entries that are on their way to its journal: a slow site takes its time for that. */
  readonly writing = new Set<JournalEntry>()

  constructor(site: SiteId, surroundings: LifeSurroundings) {
    this.site = site
    this.#with = surroundings
    this.#crashes = surroundings.crashes.filter((crash) => crash.site === site)
  }

  get alive(): boolean {
    return !this.#end.signal.aborted
  }

  /** Aborts when this life is over. */
  get ended(): AbortSignal {
    return this.#end.signal
  }

  get trouble(): Trouble {
    return this.#with.trouble
  }

  end(): void {
    this.#end.abort(new Error(`site ${this.site} is down`))
  }

  /** Does `act` if the site lives to do it, and returns if it lives to see it done. */
  at<T>(point: CrashPoint, act: () => Promise<T>): Promise<T> {
    return this.#crashes.length === 0 ? this.#whileAlive(act) : this.#through(point, act)
  }

  /** Without planned crashes, but one may still come from outside. */
  async #whileAlive<T>(act: () => Promise<T>): Promise<T> {
    if (!this.alive) return forever()
    if (this.trouble.slowMs > 0) await this.#dawdle()
    const value = await act()
    return this.alive ? value : forever()
  }

  async #through<T>(point: CrashPoint, act: () => Promise<T>): Promise<T> {
    if (!this.#survives(point, 'before')) return forever()
    if (this.trouble.slowMs > 0) await this.#dawdle()
    let outcome: { readonly value: T } | { readonly error: unknown }
    try {
      outcome = { value: await act() }
    } catch (error) {
      outcome = { error }
    }
    if (!this.#survives(point, 'after')) return forever()
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  async #dawdle(): Promise<void> {
    await this.#with.time.sleep(this.trouble.slowMs)
    if (!this.alive) await forever()
  }

  #survives(point: CrashPoint, when: 'before' | 'after'): boolean {
    if (!this.alive) return false
    const { visits } = this.#with
    const place = `${when} ${point}`
    const visit = (visits.get(place) ?? 0) + 1
    visits.set(place, visit)
    const crash = this.#crashes.find((planned) => planned.point === point && sideOf(planned) === when && planned.nth === visit)
    if (crash === undefined || !this.#with.mayCrash(crash)) return true
    this.end()
    this.#with.onCrash(crash)
    return false
  }
}

/** What is torn while it is written is not there afterwards. */
const sideOf = ({ when }: Crash): 'before' | 'after' => (when === 'torn' ? 'before' : when)

/** A promise of its own each time, so that the abandoned caller can be collected. */
export const forever = <T>(): Promise<T> => new Promise<T>(() => {})

/** For parts of the simulated world on their own. */
export const untroubledLife = (site: SiteId, time: SimTime): Life =>
  new Life(site, { time, trouble: new Trouble(), crashes: [], visits: new Map(), mayCrash: () => true, onCrash: () => undefined })
