import { RotaError } from '#base/errors.ts'
import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { choice, flag, text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

const programme = text('NAME', 'the consent programme, as protocols name it')
const mapping = text('FILE', "what this site's codes and identifiers mean (default: fhir.yaml in the folder)")

export const consent_import = command({
  name: 'consent import',
  group: 'Consent',
  summary: "take FHIR R4 Consent resources from the hospital's own system into the record",
  description: `One Consent, a Bundle, or NDJSON of a bulk export. What a resource says is taken exactly or refused by name, with its FHIRPath: a file of which one
consent is refused is not taken at all, unless with --partial. An active permission is recorded, with a receipt; a denial, or one that has ended, withdraws.
A consent that was given before a withdrawal that stands here does not bring it back.`,
  options: {
    ...siteOptions,
    programme,
    fhir: text('FILE', 'the resources: JSON or NDJSON'),
    patients: text('FILE', 'the Patient resources, where they are in a file of their own'),
    mapping,
    receipts: text('DIR', 'where the receipts go (default: receipts in the folder)'),
    language: text('CODE', "language of the sheets to print, as en or de (default: the terms' first)"),
    dryRun: flag('show what would become of each, and record nothing'),
    partial: flag('take what can be taken, though something else is refused'),
  },
  example: [
    'rota consent import --folder ./cleveland --programme research --fhir consents.ndjson --patients Patient.ndjson --dry-run',
    'rota consent import --folder ./cleveland --programme research --fhir consents.json --receipts ./receipts',
  ],
  async run({ options, out, signal }) {
    const { importFhir } = await import('#app/fhir/import-fhir.ts')
    const { importedText } = await import('#cli/output/fhir-text.ts')
    const { folder, patients, mapping, dryRun, partial, receipts, language } = options
    const fhir = { file: needed('consent import', '--fhir', options.fhir) }
    const name = needed('consent import', '--programme', options.programme)
    const call = { folder, password: passwordFrom(options), signal, programme: name, fhir, patients, mapping, dryRun, partial, receipts, language }
    const { resources, ...answer } = await importFhir(call)
    // Which line is enough to find whose it is; the screen may be another's than the file.
    const shown = { ...answer, resources: resources.map(({ patient: _, ...rest }) => rest) }
    out.result(shown, () => importedText(shown, out.style))
    return answer.problem === null ? 0 : new RotaError(answer.problem.code).exitCode
  },
})

export const consent_export = command({
  name: 'consent export',
  group: 'Consent',
  summary: 'write the consent record as FHIR R4: Consent, AuditEvent and Provenance',
  description: `The file names patients as this hospital does, and is readable by its owner alone: keep it as you keep the patients' files. Patients whom the data file
does not name go by a pseudonym. Tags and secrets are not in it. rota consent import reads it back.`,
  options: {
    ...siteOptions,
    programme,
    fhir: flag('as FHIR R4, which is the only way so far'),
    out: text('FILE', 'a file that is not there yet'),
    format: choice(['bundle', 'ndjson'], 'one Bundle, or one resource a line', 'bundle'),
    mapping,
  },
  example: 'rota consent export --folder ./cleveland --programme research --fhir --out consents.json',
  async run({ options, out, signal }) {
    const { exportFhir } = await import('#app/fhir/export-fhir.ts')
    const { exportedText } = await import('#cli/output/fhir-text.ts')
    const { folder, format, mapping } = options
    const file = needed('consent export', '--out', options.out)
    const name = needed('consent export', '--programme', options.programme)
    const written = await exportFhir({ folder, password: passwordFrom(options), signal, programme: name, out: file, format, mapping })
    out.result(written, () => exportedText(written, out.style))
  },
})
