import { fromHex } from '#base/bytes.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { TermsRef } from '#core/consent/terms.ts'
import type { Vault } from '#ports/vault.ts'
import { isStanding } from './consent-end.ts'
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
        /** Given again at a portal: the withdrawn card's signature for exactly this, so that the site can show who agreed. `at`: Unix seconds. */
        readonly asked?: { readonly by: Digest; readonly what: string; readonly at: number; readonly signature: string }
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

/** The record as it stood when a root was made over it. */
export interface RecordedThen {
  /** So many entries of all programmes. */
  readonly recordEntries: number
  /** ISO: consents that had ended by then do not count. None: all did, as in roots of the first versions. */
  readonly at?: string
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

  /** Tells whether a tag's consent stood then: to be asked of a thousand roots. */
  async stoodThen(programme: string, tag: Digest): Promise<(then: RecordedThen) => boolean> {
    const patient = await this.patientOf(programme, tag)
    if (patient === undefined) return () => false
    const own = this.#entries.flatMap((entry, place) => (entry.programme === programme && entry.patient === patient ? [{ entry, place }] : []))
    return ({ recordEntries, at }) => {
      const upTo = own.filter(({ place }) => place < recordEntries)
      const standing = upTo.reduce<Standing | undefined>((before, { entry }) => (isOutdated(entry, before) ? before : standingOf(entry)), undefined)
      return standing?.tag === tag && isStanding(standing, momentOf(at))
    }
  }

  /** The tags whose consents stood then; those of now with all entries. */
  async tagsThen(programme: string, { recordEntries, at }: RecordedThen): Promise<readonly Digest[]> {
    const atMs = momentOf(at)
    const standings = await this.standings(programme, recordEntries)
    return [...standings.values()].flatMap((standing) => (standing.tag !== null && isStanding(standing, atMs) ? [standing.tag] : []))
  }

  /** Whether a consent under a programme came to its end after one moment, and not after another: ISO, and ms. */
  async someEnded(programme: string, after: string | undefined, byMs: number): Promise<boolean> {
    await this.#refresh()
    const afterMs = momentOf(after)
    return this.#entries.some(({ programme: of, until }) => {
      const endMs = of === programme && until !== undefined ? Date.parse(until) : Number.NaN
      return endMs > afterMs && endMs <= byMs
    })
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
  async tags(programme: string): Promise<ReadonlyMap<Digest, Standing & { readonly patient: Digest }>> {
    await this.#refresh()
    const tags = new Map<Digest, Standing & { readonly patient: Digest }>()
    for (const entry of this.#entries) {
      if (entry.tag !== null && entry.programme === programme) tags.set(entry.tag, { patient: entry.patient, ...standingOf(entry) })
    }
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

const momentOf = (iso: string | undefined): number => (iso === undefined ? Number.NEGATIVE_INFINITY : Date.parse(iso))

function standingOf(entry: ConsentEntry): Standing {
  const { kind: state, tag, until } = entry
  const by = entry.kind === 'withdrawn' ? entry.by : undefined
  return { state, tag, ...(until !== undefined && { until }), ...(by !== undefined && { by }) }
}

/** A withdrawal of a tag ends that consent alone: another may have been given before it was noted here. */
const isOutdated = ({ kind, tag }: ConsentEntry, standing: Standing | undefined): boolean =>
  kind === 'withdrawn' && tag !== null && standing?.state === 'granted' && standing.tag !== tag
