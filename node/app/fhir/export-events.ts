import type { Written } from '#adapters/fhir/r4.ts'
import { auditEventOf, provenanceOf } from '#adapters/fhir/write-events.ts'
import type { WriteContext } from '#adapters/fhir/write-parts.ts'
import type { AtSite } from '#app/site/at-site.ts'
import type { Digest } from '#base/ids.ts'
import { type Recorded, whoOf } from './export-record.ts'
import { exportId } from './site-names.ts'
import { usedRounds } from './used-rounds.ts'

/** What happened to each consent: recorded, withdrawn here and on chain, and one for each round that used it. */
export async function auditEvents(site: AtSite, record: Recorded, context: WriteContext): Promise<readonly Written[]> {
  const { programme, patients, onChain } = record
  const { vault } = site.folder
  const consentOfPatient = (patient: Digest): string => exportId(vault, 'consent', programme, patient)
  const entries = [...patients].flatMap(([patient, of]) =>
    of.map((entry, i) =>
      auditEventOf(context, {
        ...{ id: exportId(vault, `event ${i}`, programme, patient), at: entry.at, details: {} },
        ...{ what: entry.kind === 'granted' ? 'recorded' : 'withdrawn', consents: [consentOfPatient(patient)] },
      }),
    ),
  )
  const patientOfTag = new Map([...patients].flatMap(([patient, of]) => of.flatMap(({ tag }) => (tag === null ? [] : [[tag, patient] as const]))))
  const withdrawn = [...patientOfTag].flatMap(([tag, patient]) => {
    const atMs = onChain.get(tag)
    if (atMs === undefined) return []
    const id = exportId(vault, `chain ${tag}`, programme, patient)
    return [
      auditEventOf(context, { id, what: 'withdrawn', at: new Date(atMs).toISOString(), consents: [consentOfPatient(patient)], details: { where: 'on chain' } }),
    ]
  })
  const used = (await usedRounds(site, programme)).flatMap(({ run, round, atMs, cohortRoot, members }) => {
    const of = members.flatMap((member) => patientOfTag.get(member) ?? (patients.has(member) ? [member] : []))
    if (of.length === 0) return []
    const details = { run: String(run), round: String(round), 'cohort root': cohortRoot }
    return [
      auditEventOf(context, {
        id: exportId(vault, 'round', programme, cohortRoot),
        what: 'used',
        at: new Date(atMs).toISOString(),
        consents: of.map(consentOfPatient),
        details,
      }),
    ]
  })
  return [...entries, ...withdrawn, ...used]
}

/** Where each entry of the record came from. */
export const provenances = (site: AtSite, record: Recorded, context: WriteContext): readonly Written[] =>
  [...record.patients].flatMap(([patient, entries]) =>
    entries.map((entry, i) => {
      const { kind, at, imported } = entry
      return provenanceOf(context, {
        id: exportId(site.folder.vault, `origin ${i}`, record.programme, patient),
        consent: exportId(site.folder.vault, 'consent', record.programme, patient),
        ...{ who: whoOf(site, record, patient), recordedAt: at, kind },
        ...{ givenAt: imported?.givenAt ?? null, by: imported?.by ?? null, signature: imported?.signature ?? null },
        termsVersion: entry.kind === 'granted' ? (entry.terms?.version ?? null) : null,
      })
    }),
  )
