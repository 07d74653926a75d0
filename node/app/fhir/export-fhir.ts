import { resolve } from 'node:path'
import { purposeName } from '#adapters/fhir/codes.ts'
import type { Written } from '#adapters/fhir/r4.ts'
import { type FhirFormat, fhirText, referIn } from '#adapters/fhir/write-file.ts'
import type { WriteContext } from '#adapters/fhir/write-parts.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import { diskError, writeNew } from '#adapters/journal/atomic-file.ts'
import { atSite } from '#app/site/at-site.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { RotaError } from '#base/errors.ts'
import { auditEvents, provenances } from './export-events.ts'
import { consents, recordOf } from './export-record.ts'
import { readFhirMapping } from './fhir-mapping-file.ts'
import { ownNames } from './site-names.ts'

export interface FhirExportCall extends StudyCall {
  readonly programme: string
  /** A file that is not there yet. */
  readonly out: string
  readonly format: FhirFormat
  readonly mapping?: string | undefined
}

export interface FhirExport {
  readonly programme: string
  readonly file: string
  readonly format: FhirFormat
  readonly consents: number
  readonly auditEvents: number
  readonly provenances: number
  /** Patients whom the site's data file does not name: they go by a pseudonym. */
  readonly pseudonyms: number
}

/**
 * Writes the consent record of one programme as FHIR R4. The file names patients as the hospital does: it is written for its owner alone
 * (mode 0600) and is to be kept like the patients' files. Tags and secrets are not in it, so that nothing on chain leads to a name.
 * @throws ROTA-1220 the file exists, 1306 the disk, 6002 the record, 12xx, 13xx, 5xxx the site
 */
export async function exportFhir(call: FhirExportCall): Promise<FhirExport> {
  const mapping = await readFhirMapping(call.folder, call.mapping)
  const purposes = mapping.purposes.map(purposeName)
  return atSite(call, async (site) => {
    const at = new Date(systemClock.nowMs()).toISOString()
    const context: WriteContext = {
      own: ownNames(site, call.programme),
      siteName: site.own.name,
      patientSystem: mapping.patient.system,
      refer: referIn(call.format),
    }
    const record = await recordOf(site, call.programme)
    const written = [...consents(site, record, context, purposes), ...(await auditEvents(site, record, context)), ...provenances(site, record, context)]
    const file = resolve(call.out)
    await writeNew(file, fhirText(written, call.format, at)).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'EEXIST' ? new RotaError('ROTA-1220', { file }) : diskError(file, cause)
    })
    const count = (type: Written['resourceType']): number => written.filter(({ resourceType }) => resourceType === type).length
    return {
      ...{ programme: call.programme, file, format: call.format },
      ...{ consents: count('Consent'), auditEvents: count('AuditEvent'), provenances: count('Provenance') },
      pseudonyms: [...record.patients.keys()].filter((patient) => !record.names.has(patient)).length,
    }
  })
}
