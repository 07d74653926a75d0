import { stat } from 'node:fs/promises'
import { toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Cohort, ConsentedCohort } from '#ports/cohort.ts'
import type { Vault } from '#ports/vault.ts'
import type { CohortArchive } from './cohort-archive.ts'
import { hasEnded } from './consent-end.ts'
import type { ConsentStore, Standing } from './consent-store.ts'
import { defaultMapping, type Mapping } from './mapping.ts'
import { checkNamed } from './named-patients.ts'
import { patientDigest, usedDigest } from './patient-digest.ts'
import { type PatientRow, readRows, toSplitTable } from './read-rows.ts'
import { cohortMap } from './site-maps.ts'

export interface CsvCohortOptions {
  readonly file: string
  readonly mapping?: Mapping
  readonly consents: Pick<ConsentStore, 'standings'>
  readonly vault: Pick<Vault, 'keyedDigest'>
  readonly archive: Pick<CohortArchive, 'rememberCohort'>
  /** 32 bytes that no other network has: `networkDigest`. */
  readonly network: Uint8Array
  /**
   * How many entries of the consent record the site's last root on chain is over. Where consent is the lawful basis, later ones do not count
   * yet: a cohort lies within what the chain can bear out.
   */
  readonly entriesOnChain: (programme: string) => Promise<number>
  /** When the programme's newest terms expire, ISO: nobody is used from then on who did not agree to others. Null, and the default: never. */
  readonly expiryOf?: (programme: string) => Promise<string | null>
  /** Consents that were given for a time end by it. Default: this machine's clock. */
  readonly nowMs?: () => number
}

export interface CsvConsentedCohort extends ConsentedCohort {
  /** What roots commit to: each patient's tag, or, under opt-out without one, a keyed digest. */
  readonly members: readonly Digest[]
}

interface KnownRow extends PatientRow {
  readonly digest: Digest
  readonly used: Digest
}

/**
 * A site's patients from one CSV file. The file is read again only when it, or the protocol, has changed;
 * who consents is asked every time.
 */
export class CsvCohort implements Cohort {
  readonly #options: CsvCohortOptions
  /** A round mostly has the cohort of the round before. */
  #last: { readonly rows: readonly KnownRow[]; readonly programme: string; readonly cohort: CsvConsentedCohort } | null = null
  #read: { readonly key: string; readonly rows: readonly KnownRow[] } | null = null

  constructor(options: CsvCohortOptions) {
    this.#options = options
  }

  async consented(protocol: Protocol, withdrawn: ReadonlySet<Digest>): Promise<CsvConsentedCohort> {
    const rows = await this.#rows(protocol)
    const standings = await this.#standings(protocol)
    const nowMs = this.#options.nowMs?.() ?? Date.now()
    const expiry = (await this.#options.expiryOf?.(protocol.programme)) ?? null
    const used = rows.filter((row) => mayUse(standings.get(row.digest), protocol.lawfulBasis, withdrawn, { nowMs, expiry }))
    const tagOf = (row: KnownRow): Digest | null => standings.get(row.digest)?.tag ?? null
    const members = used.map((row) => tagOf(row) ?? row.digest).sort()
    const last = this.#last
    if (last?.rows === rows && last.programme === protocol.programme && sameList(last.cohort.members, members)) return last.cohort
    const cohort = this.#of(used, protocol, tagOf)
    this.#last = { rows, programme: protocol.programme, cohort }
    return cohort
  }

  #of(used: readonly KnownRow[], protocol: Protocol, tagOf: (row: KnownRow) => Digest | null): CsvConsentedCohort {
    const members = used.map((row) => tagOf(row) ?? row.digest).sort()
    return {
      table: toSplitTable(used, protocol),
      patients: used.map((row) => row.used).sort(),
      testing: used.flatMap((row) => (row.set === 'test' ? [row.used] : [])),
      tags: used.flatMap((row) => tagOf(row) ?? []).sort(),
      members,
      rootIn: this.#rootsOf(protocol.programme, members),
      without: (patients) =>
        this.#of(
          used.filter((row) => !patients.has(row.used)),
          protocol,
          tagOf,
        ),
    }
  }

  remember(cohort: ConsentedCohort, { programme }: Protocol, run: RunId, round: RoundNo): Promise<void> {
    const { members } = cohort as CsvConsentedCohort
    return this.#options.archive.rememberCohort({ programme, run, round, root: cohort.rootIn(run, round), members })
  }

  /** A round's root is asked for again and again, to see whether the cohort is still the one that was committed to. */
  #rootsOf(programme: string, members: readonly Digest[]): (run: RunId, round: RoundNo) => Digest {
    const { vault, network } = this.#options
    const known = new Map<string, Digest>()
    return (run, round) => {
      const key = `${run}/${round}`
      const root = known.get(key) ?? toDigest(cohortMap(vault, programme, members, { network, run, round }).root)
      if (known.size >= ROOTS_KEPT) known.clear()
      known.set(key, root)
      return root
    }
  }

  async #standings({ programme, lawfulBasis }: Protocol): Promise<ReadonlyMap<Digest, Standing>> {
    const { consents, entriesOnChain } = this.#options
    const now = await consents.standings(programme)
    if (lawfulBasis !== 'consent') return now
    const onChain = await consents.standings(programme, await entriesOnChain(programme))
    return new Map([...now].filter(([patient, { state, tag }]) => state === 'withdrawn' || onChain.get(patient)?.tag === tag))
  }

  async #rows(protocol: Protocol): Promise<readonly KnownRow[]> {
    const { file, mapping = defaultMapping(), vault } = this.#options
    const { mtimeMs, size } = await stat(file).catch((cause: NodeJS.ErrnoException) => {
      throw new RotaError('ROTA-3001', { file, reason: String(cause.code) })
    })
    const key = JSON.stringify([mtimeMs, size, protocol.features, protocol.label, protocol.cohort, protocol.learner.kind, protocol.privacy?.unit])
    if (this.#read?.key === key) return this.#read.rows
    const { rows, plan } = await readRows(file, mapping, protocol)
    checkNamed(rows.length, plan, protocol)
    const known = rows.map((row) => ({ ...row, digest: patientDigest(vault, row.patient), used: usedDigest(vault, row.patient, row.set) }))
    this.#read = { key, rows: known }
    return known
  }
}

const ROOTS_KEPT = 8

const sameList = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((x, i) => x === b[i])

/** @param at.expiry of what nobody agreed to: a consent that names its terms ends with those */
function mayUse(
  standing: Standing | undefined,
  lawfulBasis: Protocol['lawfulBasis'],
  withdrawn: ReadonlySet<Digest>,
  at: { readonly nowMs: number; readonly expiry: string | null },
): boolean {
  if (hasEnded(standing?.until ?? at.expiry, at.nowMs)) return false
  if (standing === undefined) return lawfulBasis === 'opt-out'
  if (standing.state === 'withdrawn') return false
  return standing.tag === null || !withdrawn.has(standing.tag)
}
