import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { type FhirImport, importFhir } from '#app/fhir/import-fhir.ts'
import type { Digest } from '#base/ids.ts'
import type { Printable } from '#web/desk/desk-work.ts'
import type { DeskProgramme, ImportAnswer, ImportFile } from '#wire/desk-api.ts'
import { cardPage } from './desk-record.ts'
import type { DeskSite } from './desk-site.ts'

/** What a FHIR file would do: nothing is changed. @throws ROTA-6050, 6054, 6063 */
export async function previewAtDesk({ call }: DeskSite, { fhir }: ImportFile, { name }: DeskProgramme): Promise<ImportAnswer> {
  return told(await importFhir({ ...call, programme: name, fhir: { text: fhir }, dryRun: true, partial: true }))
}

/** Takes what can be taken: the steward has seen what is refused. Cards go into memory, as at `recordAtDesk`. */
export async function importAtDesk(
  { folder, call }: DeskSite,
  { fhir, language }: ImportFile,
  { name }: DeskProgramme,
): Promise<ImportAnswer & { readonly prints: readonly Printable[] }> {
  const receipts = await mkdtemp(join(folder.paths.state, 'desk-'))
  try {
    const done = await importFhir({ ...call, programme: name, fhir: { text: fhir }, dryRun: false, partial: true, receipts, language })
    const fileOf = new Map(done.receipts.map(({ file, tag }) => [tag, file]))
    const patients = new Set(done.resources.flatMap(({ patient, outcome }) => (patient !== null && outcome === 'recorded' ? [patient] : [])))
    const prints: Printable[] = []
    for (const patient of patients) {
      const tag: Digest | null =
        (await folder.consents.entriesOf(patientDigest(folder.vault, patient))).findLast((entry) => entry.programme === name)?.tag ?? null
      const file = tag === null ? undefined : fileOf.get(tag)
      if (file !== undefined) prints.push(await cardPage(patient, file))
    }
    return { ...told(done), prints }
  } finally {
    await rm(receipts, { recursive: true, force: true })
  }
}

const told = ({ programme, recorded, withdrawn, unchanged, refused, resources, problem }: FhirImport): ImportAnswer => ({
  ...{ programme, recorded, withdrawn, unchanged, refused, problem },
  rows: resources.map(({ place, patient, outcome, reason, path, error }) => ({ place, patient, outcome, reason, path, error })),
})
