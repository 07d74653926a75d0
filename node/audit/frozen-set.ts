import { EMPTY, has, sitesOf, withSite } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { EventOf, RoundLog } from './run-log.ts'

/** What follows from the custodians' bitmaps, by the rule of the contract and without it. */
export interface ExpectedSet {
  readonly included: Bitmap
  /** Bitmaps of sites that were no custodian of their slice at that time: they do not count. */
  readonly strangers: readonly SiteId[]
}

/**
 * Works out the frozen set of a round again: an update is in when in every slice min(2, n) of its custodians' bitmaps name it,
 * it was contributed, and its site still had its steward's approval.
 * Custodians of slice s are the places s, s + 1, s + 2 from the turn; three more each time the phase begins again while the slice
 * lacks an update. In a deep round they are all places, and more than half of them have to name it.
 * @see contracts/interfaces/IRoundCoordinator.sol, Witnessing
 */
export function expectedSet(round: RoundLog, slices: number): ExpectedSet {
  const slice = Array.from({ length: slices }, () => new Slice(round))
  const strangers: SiteId[] = []
  let contributed: Bitmap = EMPTY
  let begun = false
  for (const event of round.events) {
    if (event.kind === 'Contributed') contributed = withSite(contributed, event.site)
    if (event.kind === 'PhaseBegan' && event.phase === 'Witnessing') {
      if (begun) for (const s of slice) s.extend(contributed)
      begun = true
    }
    if (event.kind === 'Witnessed' && !slice[event.slice]?.take(event)) strangers.push(event.site)
  }
  const stands = sitesOf(contributed).filter((site) => has(round.approvedAtFreeze, site) && slice.every((s) => s.names(site)))
  return { included: stands.reduce(withSite, EMPTY), strangers }
}

class Slice {
  readonly #rota: readonly SiteId[]
  readonly #turn: number
  readonly #bitmaps = new Map<SiteId, Bitmap>()
  readonly #needed: number
  #places: number

  constructor({ opened: { rota, turn }, isDeep }: RoundLog) {
    this.#rota = rota
    this.#turn = turn
    this.#places = isDeep ? rota.length : Math.min(3, rota.length)
    this.#needed = isDeep ? Math.floor(rota.length / 2) + 1 : Math.min(2, rota.length)
  }

  /** @returns false when the witness is no custodian of this slice */
  take(event: EventOf<'Witnessed'>): boolean {
    const n = this.#rota.length
    const index = this.#rota.indexOf(event.site)
    if (index < 0 || (((index - this.#turn - event.slice) % n) + n) % n >= this.#places) return false
    if (!this.#bitmaps.has(event.site)) this.#bitmaps.set(event.site, event.held)
    return true
  }

  extend(contributed: Bitmap): void {
    if (!sitesOf(contributed).every((site) => this.names(site))) this.#places = Math.min(this.#places + 3, this.#rota.length)
  }

  names(site: SiteId): boolean {
    return [...this.#bitmaps.values()].filter((held) => has(held, site)).length >= this.#needed
  }
}
