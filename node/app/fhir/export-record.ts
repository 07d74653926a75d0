import type { ConsentEntry } from '#adapters/cohort/consent-store.ts'
import type { Who } from '#adapters/fhir/fhir-patients.ts'
import type { Written } from '#adapters/fhir/r4.ts'
import { consentOf, type WrittenStanding } from '#adapters/fhir/write-consent.ts'
import type { WriteContext } from '#adapters/fhir/write-parts.ts'
import { ownPatients } from '#app/consent/consent-record.ts'
import type { AtSite } from '#app/site/at-site.ts'
import type { Digest } from '#base/ids.ts'
import { withdrawalTimes } from './known-standings.ts'
import { exportId, nameDigest, pseudonymOf } from './site-names.ts'

/** What the record says of a programme, patient by patient. */
export interface Recorded {
  readonly programme: string
  readonly patients: ReadonlyMap<Digest, readonly ConsentEntry[]>
  readonly names: ReadonlyMap<Digest, string>
  readonly onChain: ReadonlyMap<Digest, number>
}

export async function recordOf(site: AtSite, programme: string): Promise<Recorded> {
  const { folder } = site
  const [entries, onChain] = await Promise.all([folder.consents.entriesUnder(programme), withdrawalTimes(site, programme)])
  const names = await ownPatients(folder).catch((): readonly string[] => [])
  return {
    ...{ programme, onChain },
    patients: Map.groupBy(entries, ({ patient }) => patient),
    names: new Map(names.map((name) => [nameDigest(folder.vault, name), name])),
  }
}

export function whoOf({ folder }: AtSite, { names }: Recorded, patient: Digest): Who {
  const name = names.get(patient)
  return name === undefined ? { pseudonym: pseudonymOf(folder.vault, patient) } : { name }
}

export function consents(site: AtSite, record: Recorded, context: WriteContext, purposes: readonly string[]): readonly Written[] {
  const { programme } = record
  return [...record.patients].map(([patient, entries]) => {
    const id = exportId(site.folder.vault, 'consent', programme, patient)
    const coded = purposes.map((name) => ({ system: name.split('|')[0] ?? '', code: name.split('|')[1] ?? '' }))
    return consentOf(context, { id, who: whoOf(site, record, patient), purposes: coded, ...standingOf(entries, record.onChain) })
  })
}

/** The last entry decides, and what the chain says of its tag. */
function standingOf(entries: readonly ConsentEntry[], onChain: Recorded['onChain']): Omit<WrittenStanding, 'id' | 'who' | 'purposes'> {
  const last = entries.at(-1) as ConsentEntry
  const granted = entries.findLast(({ kind }) => kind === 'granted')
  const chainMs = last.tag === null ? undefined : onChain.get(last.tag)
  const isOver = last.kind === 'withdrawn' || chainMs !== undefined
  const changedAt = last.kind === 'granted' && chainMs !== undefined ? new Date(chainMs).toISOString() : last.at
  return {
    state: !isOver ? 'granted' : granted === undefined ? 'objected' : 'withdrawn',
    givenAt: (granted ?? last).imported?.givenAt ?? (granted ?? last).at,
    changedAt,
    until: granted?.until ?? null,
    by: (granted ?? last).imported?.by ?? null,
  }
}
