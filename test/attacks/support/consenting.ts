import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArchivedCohort } from '#adapters/cohort/cohort-archive.ts'
import type { Standing } from '#adapters/cohort/consent-store.ts'
import { CsvCohort, type CsvCohortOptions } from '#adapters/cohort/csv-cohort.ts'
import { defaultMapping } from '#adapters/cohort/mapping.ts'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { grantedMap } from '#adapters/cohort/site-maps.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import type { SimSite } from '#adapters/sim/site.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { sha256 } from '#app/sha256.ts'
import { fromHex, toDigest } from '#base/bytes.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { networkDigest } from '#core/consent/cohort-map.ts'
import type { KeyedMap } from '#core/consent/keyed-map.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { consentKeys, programmeId } from '#patient/keys.ts'

/** Somebody with a card. */
export interface Person {
  readonly site: SiteId
  readonly name: string
  readonly secret: Uint8Array
  readonly tag: Digest
}

/** A site's rows in a file, with the consents and the archive that its real cohort asks, in memory and none the less for it. */
export class ConsentingSite {
  readonly people: readonly Person[]
  readonly archived: ArchivedCohort[] = []
  readonly #file: string
  readonly #programme: string
  readonly #withdrawnHere = new Set<Digest>()
  #granted: KeyedMap | null = null

  constructor(file: string, people: readonly Person[], programme: string) {
    this.#file = file
    this.people = people
    this.#programme = programme
  }

  /** What the desk does: this site stops at once, whatever the chain says. */
  withdrawHere(tag: Digest): void {
    this.#withdrawnHere.add(tag)
  }

  cohort(site: SimSite, network: Uint8Array): CsvCohort {
    const consents: CsvCohortOptions['consents'] = { standings: async () => this.#standings(site) }
    const archive: CsvCohortOptions['archive'] = { rememberCohort: async (cohort) => void this.archived.push(cohort) }
    const mapping = { ...defaultMapping(), patient: 'patient', set: 'set' }
    return new CsvCohort({ file: this.#file, mapping, consents, archive, vault: site.vault, network, entriesOnChain: async () => this.people.length })
  }

  grantedRoot(site: SimSite): Digest {
    return toDigest(this.grantedMap(site).root)
  }

  /** Over all consents, in the one epoch that there is. */
  grantedMap({ vault }: SimSite): KeyedMap {
    const tags = this.people.map(({ tag }) => tag)
    this.#granted ??= grantedMap(vault, this.#programme, tags, EPOCH)
    return this.#granted
  }

  #standings({ vault }: SimSite): ReadonlyMap<Digest, Standing> {
    return new Map(this.people.map(({ name, tag }) => [patientDigest(vault, name), { state: this.#withdrawnHere.has(tag) ? 'withdrawn' : 'granted', tag }]))
  }
}

export const EPOCH = 1

/** Files of all sites, for as many worlds as a test plays; `remove` deletes them. */
export interface People {
  /** The same people in each world, with no memory of another. */
  sites(): readonly ConsentingSite[]
  remove(): void
}

/** Writes each site's rows as its hospital has them, and draws each patient's card. */
export function makePeople(sites: readonly { readonly name: string; readonly rows: SplitTable }[], protocol: Protocol): People {
  const folder = mkdtempSync(join(tmpdir(), 'rota-attacks-'))
  const files = sites.map(({ name, rows }, i) => {
    const file = join(folder, `${name}.csv`)
    const people = peopleOf(i as SiteId, name, rows.train.rows + rows.test.rows, protocol.programme)
    writeFileSync(file, csvOf(rows, people, protocol))
    return { file, people }
  })
  return {
    sites: () => files.map(({ file, people }) => new ConsentingSite(file, people, protocol.programme)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const peopleOf = (site: SiteId, hospital: string, count: number, programme: string): Person[] =>
  Array.from({ length: count }, (_, i) => {
    const secret = fromHex(digestOf('card', hospital, i)).subarray(0, 16)
    return { site, name: `${hospital} ${i}`, secret, tag: consentKeys(secret, programme).tag }
  })

function csvOf({ train, test }: SplitTable, people: readonly Person[], { label }: Protocol): string {
  const lines = [train, test].flatMap((table, t) =>
    Array.from({ length: table.rows }, (_, row) => {
      const values = table.values.subarray(row * table.columns.length, (row + 1) * table.columns.length)
      const { name } = people[(t === 0 ? 0 : train.rows) + row] as Person
      return [name, t === 0 ? 'train' : 'test', ...values, table.label[row]].join(',')
    }),
  )
  return [['patient', 'set', ...train.columns, label.name].join(','), ...lines, ''].join('\n')
}

/**
 * Puts real cohorts in the place of the simulator's own; time stands still while one reads its file.
 * @param sabotaged heeds no withdrawal, neither at its desk nor on chain
 */
export function consent(world: SimWorld, sites: readonly ConsentingSite[], sabotaged: SiteId | null = null): void {
  if (sabotaged !== null) Object.assign(sites[sabotaged] as ConsentingSite, { withdrawHere: () => undefined })
  const network = networkOf(world)
  // One after the other: which of two files is read first must not decide anything.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return world.time.hold(mine)
  }
  for (const site of world.sites) {
    const cohort = (sites[site.id] as ConsentingSite).cohort(site, network)
    const real: Pick<CsvCohort, 'consented' | 'remember'> = {
      consented: (protocol, withdrawn) => inTurn(() => cohort.consented(protocol, site.id === sabotaged ? new Set() : withdrawn)),
      remember: (...args) => cohort.remember(...args),
    }
    Object.assign(site.cohort, real)
  }
}

export const networkOf = ({ chain }: SimWorld): Uint8Array => networkDigest(chain.chainId, chain.consentRegistry, sha256)

/** Each site's node puts the root over its consents on chain. */
export async function putRoots(world: SimWorld, sites: readonly ConsentingSite[], programme: string): Promise<void> {
  const id = programmeId(programme)
  for (const site of world.sites) {
    const root = (sites[site.id] as ConsentingSite).grantedRoot(site)
    await world.within(world.node(site).consentRoot(id, EPOCH, root), 60_000)
  }
}
