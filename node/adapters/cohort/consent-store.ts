import { fromHex } from '#base/bytes.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { Vault } from '#ports/vault.ts'
import { LOG_START, SealedLog } from './sealed-log.ts'

/** A patient is a keyed digest here: the file alone names nobody, even opened. */
export type ConsentEntry =
  | {
      readonly kind: 'granted'
      readonly patient: Digest
      readonly programme: string
      readonly tag: Digest
      readonly oneTimeAddress: Address
      readonly at: string
    }
  | { readonly kind: 'withdrawn'; readonly patient: Digest; readonly programme: string; readonly tag: Digest | null; readonly at: string }

/** How a patient stands under a programme now: the last entry decides. */
export interface Standing {
  readonly state: 'granted' | 'withdrawn'
  /** Null for a patient who objected under opt-out without ever having a receipt. */
  readonly tag: Digest | null
}

/**
 * The site's record of consents, sealed under a key of the vault. Read again when another process (the desk's command line) has added
 * to it.
 */
export class ConsentStore {
  readonly #log: SealedLog<ConsentEntry>
  #end = LOG_START
  #entries: ConsentEntry[] = []

  constructor(file: string, vault: Pick<Vault, 'keyedDigest'>) {
    this.#log = new SealedLog(file, fromHex(vault.keyedDigest('consent-store')), 'consent')
  }

  /**
   * @param first only so many entries of the record, to see how it stood then
   * @throws ROTA-6002 when a whole line does not open: then nobody counts as consenting
   */
  async standings(programme: string, first?: number): Promise<ReadonlyMap<Digest, Standing>> {
    await this.#refresh()
    const standings = new Map<Digest, Standing>()
    for (const entry of this.#entries.slice(0, first)) {
      if (entry.programme === programme) standings.set(entry.patient, { state: entry.kind, tag: entry.tag })
    }
    return standings
  }

  /** Entries of all programmes. */
  async size(): Promise<number> {
    await this.#refresh()
    return this.#entries.length
  }

  async programmes(): Promise<readonly string[]> {
    await this.#refresh()
    return [...new Set(this.#entries.map((entry) => entry.programme))]
  }

  /** On disk when it returns. @throws ROTA-1306 when the disk refuses: then nothing of it was recorded */
  append(entries: readonly ConsentEntry[]): Promise<void> {
    return this.#log.append(entries)
  }

  async #refresh(): Promise<void> {
    const from = this.#end
    const { entries, end, anew } = await this.#log.after(from)
    if (this.#end !== from) return this.#refresh() // somebody else's refresh came first
    if (anew) this.#entries = []
    this.#entries.push(...entries)
    this.#end = end
  }
}
