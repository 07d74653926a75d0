import { fromHex } from '#base/bytes.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { TermsRef } from '#core/consent/terms.ts'
import type { Vault } from '#ports/vault.ts'
import type { EntryNote } from './imported.ts'
import { LOG_START, SealedLog } from './sealed-log.ts'

/** A patient is a keyed digest here: the file alone names nobody, even opened. */
export type ConsentEntry = EntryNote &
  (
    | {
        readonly kind: 'granted'
        readonly patient: Digest
        readonly programme: string
        readonly tag: Digest
        readonly oneTimeAddress: Address
        readonly at: string
        /** What was agreed to; none where the programme had no terms on chain. */
        readonly terms?: TermsRef
      }
    | {
        readonly kind: 'withdrawn'
        readonly patient: Digest
        readonly programme: string
        readonly tag: Digest | null
        readonly at: string
        /** `card`: by a portal, with the card's signature; `chain`: found there; else at the desk. */
        readonly by?: 'card' | 'chain'
      }
  )

/** How a patient stands under a programme now: the last entry decides. */
export interface Standing {
  readonly state: 'granted' | 'withdrawn'
  /** Null for a patient who objected under opt-out without ever having a receipt. */
  readonly tag: Digest | null
  /** ISO: it counts up to this moment. */
  readonly until?: string
  /** Withdrawn at a portal by the card, or found on chain; else at the desk. */
  readonly by?: 'card' | 'chain'
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
      if (entry.programme === programme && !isOutdated(entry, standings.get(entry.patient))) standings.set(entry.patient, standingOf(entry))
    }
    return standings
  }

  /** Whose consent a tag is or was; undefined: none of this site's. */
  async patientOf(programme: string, tag: Digest): Promise<Digest | undefined> {
    await this.#refresh()
    return this.#entries.find((entry) => entry.kind === 'granted' && entry.programme === programme && entry.tag === tag)?.patient
  }

  /** With how many entries of the record a tag stands: with more than `from`, and with no more than `to`. Null: none of this site's. */
  async spanOf(programme: string, tag: Digest): Promise<{ readonly from: number; readonly to: number } | null> {
    await this.#refresh()
    const from = this.#entries.findIndex((entry) => entry.kind === 'granted' && entry.programme === programme && entry.tag === tag)
    const patient = this.#entries[from]?.patient
    const next = this.#entries.findIndex((entry, i) => i > from && entry.programme === programme && entry.patient === patient)
    return from < 0 ? null : { from, to: next < 0 ? Number.POSITIVE_INFINITY : next }
  }

  /** All that the record says of one patient, oldest first. */
  async entriesOf(patient: Digest): Promise<readonly ConsentEntry[]> {
    await this.#refresh()
    return this.#entries.filter((entry) => entry.patient === patient)
  }

  /** All that it says under one programme, oldest first. */
  async entriesUnder(programme: string): Promise<readonly ConsentEntry[]> {
    await this.#refresh()
    return this.#entries.filter((entry) => entry.programme === programme)
  }

  /** Every tag that was ever given here, of patients who consented again too. */
  async tags(programme: string): Promise<ReadonlyMap<Digest, { readonly patient: Digest; readonly state: Standing['state'] }>> {
    await this.#refresh()
    const tags = new Map<Digest, { readonly patient: Digest; readonly state: Standing['state'] }>()
    for (const { kind, patient, tag, ...entry } of this.#entries) if (tag !== null && entry.programme === programme) tags.set(tag, { patient, state: kind })
    return tags
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

function standingOf(entry: ConsentEntry): Standing {
  const { kind: state, tag, until } = entry
  const by = entry.kind === 'withdrawn' ? entry.by : undefined
  return { state, tag, ...(until !== undefined && { until }), ...(by !== undefined && { by }) }
}

/** A withdrawal of a tag ends that consent alone: another may have been given before it was noted here. */
const isOutdated = ({ kind, tag }: ConsentEntry, standing: Standing | undefined): boolean =>
  kind === 'withdrawn' && tag !== null && standing?.state === 'granted' && standing.tag !== tag
