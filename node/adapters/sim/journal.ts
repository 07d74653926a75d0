import type { RoundNo, RunId } from '#base/ids.ts'
import type { Journal, JournalEntry } from '#ports/journal.ts'

const STAYING: ReadonlySet<JournalEntry['kind']> = new Set(['frozen', 'released', 'wentOn', 'leftOut'])

/** The site's disk for its journal: outlives a crash of the site, as `entries` is handed to the next incarnation. */
export class SimJournal implements Journal {
  readonly #entries: JournalEntry[]

  constructor(entries: JournalEntry[] = []) {
    this.#entries = entries
  }

  async append(...entries: readonly JournalEntry[]): Promise<void> {
    this.#entries.push(...entries)
  }

  entries(): readonly JournalEntry[] {
    return this.#entries
  }

  async compact(run: RunId, round: RoundNo): Promise<void> {
    const last = this.#entries.findLast((entry) => entry.kind === 'contributed' && entry.run === run)
    const kept = this.#entries.filter((entry) => STAYING.has(entry.kind) || entry === last || entry.run !== run || entry.round >= round)
    this.#entries.splice(0, this.#entries.length, ...kept)
  }

  async burn(run: RunId, round: RoundNo, ...entries: readonly JournalEntry[]): Promise<void> {
    this.#entries.forEach((entry, i) => {
      if (entry.run !== run || entry.round >= round) return
      if (entry.kind === 'keys') this.#entries[i] = { ...entry, sealed: '' }
      if (entry.kind === 'dealt' || entry.kind === 'keyed') this.#entries[i] = { ...entry, shares: '' }
    })
    this.#entries.push(...entries)
  }
}
