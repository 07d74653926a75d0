import type { SiteId } from '#base/ids.ts'
import type { Crash, CrashPoint } from './faults.ts'

/**
 * One life of a site, from its start to a crash. Afterwards no call that it made ever returns, as if its process were gone;
 * `ended` tells whoever drives it.
 */
export class Life {
  readonly site: SiteId
  readonly #crashes: readonly Crash[]
  /** Over all lives of the site. */
  readonly #visits: Map<string, number>
  readonly #end = new AbortController()
  readonly #onCrash: (crash: Crash) => void

  constructor(site: SiteId, crashes: readonly Crash[], visits: Map<string, number>, onCrash: (crash: Crash) => void) {
    this.site = site
    this.#crashes = crashes.filter((crash) => crash.site === site)
    this.#visits = visits
    this.#onCrash = onCrash
  }

  get alive(): boolean {
    return !this.#end.signal.aborted
  }

  /** Aborts when this life is over. */
  get ended(): AbortSignal {
    return this.#end.signal
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
    const value = await act()
    return this.alive ? value : forever()
  }

  async #through<T>(point: CrashPoint, act: () => Promise<T>): Promise<T> {
    if (!this.#survives(point, 'before')) return forever()
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

  #survives(point: CrashPoint, when: Crash['when']): boolean {
    if (!this.alive) return false
    const place = `${when} ${point}`
    const visit = (this.#visits.get(place) ?? 0) + 1
    this.#visits.set(place, visit)
    const crash = this.#crashes.find((planned) => planned.point === point && planned.when === when && planned.nth === visit)
    if (crash === undefined) return true
    this.end()
    this.#onCrash(crash)
    return false
  }
}

/** A promise of its own each time, so that the abandoned caller can be collected. */
export const forever = <T>(): Promise<T> => new Promise<T>(() => {})
