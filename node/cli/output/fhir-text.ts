import type { FhirExport } from '#app/fhir/export-fhir.ts'
import type { FhirImport, ImportedResource } from '#app/fhir/import-fhir.ts'
import { count, counted, shortHex } from '#base/format.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

type Shown = Omit<FhirImport, 'resources'> & { readonly resources: readonly Omit<ImportedResource, 'patient'>[] }

/** On a screen, more than these say no more. */
const MOST_ROWS = 200
/** Characters: why something is refused is read to its end. */
const WHOLE = 1_000

export function importedText(answer: Shown, style: Style): string {
  const { dryRun, taken, recorded, withdrawn, unchanged, refused, resources, withoutRows, receipts, handover, root, problem } = answer
  const rows = resources.filter(({ outcome }) => outcome !== 'unchanged' || resources.length <= MOST_ROWS).slice(0, MOST_ROWS)
  const told = rows.map(({ place, id, outcome, reason, error }) => [place, id ?? '', outcome, error === null ? reason : `${error.code} ${error.what}`])
  // Once for each kind of refusal.
  const remedies = [...new Map(rows.flatMap(({ error }) => (error === null ? [] : [[error.code, error.remedy] as const])))]
  const head = dryRun
    ? style.bold('Nothing is recorded; this is what would be')
    : taken
      ? style.good('Taken into the record')
      : style.bold('Nothing was recorded; with --partial it would be')
  return [
    table(['where', 'id', 'outcome', ''], told, style, WHOLE),
    ...remedies.map(([code, remedy]) => `${code} → ${remedy}`),
    resources.length > rows.length ? `… and ${count(resources.length - rows.length)} more: --json has all.` : '',
    `${head}: ${count(recorded)} recorded, ${count(withdrawn)} withdrawn, ${count(unchanged)} unchanged, ${count(refused)} refused.`,
    withoutRows === 0 ? '' : style.warn(`No row of this site's data file has the name of ${count(withoutRows)} of those recorded.`),
    handover === null ? '' : `${counted(receipts.length, 'receipt')} written; ${handover} says whose is which. Hand them over, then delete both here.`,
    root === null ? '' : `Root of the standing consents on chain: epoch ${root.epoch}, ${shortHex(root.root)}, block ${root.block}`,
    ...(problem === null ? [] : [`${style.bad(problem.code)} ${problem.what}\n  → ${problem.remedy}`]),
  ]
    .filter((line) => line !== '')
    .join('\n')
}

export const exportedText = ({ file, consents, auditEvents, provenances, pseudonyms }: FhirExport, style: Style): string =>
  [
    `${style.good('Written')}: ${file}`,
    `${count(consents)} Consent, ${count(auditEvents)} AuditEvent, ${count(provenances)} Provenance.`,
    style.warn(
      `It names patients as this hospital does: keep it as you keep the patients' files${pseudonyms === 0 ? '' : `; ${count(pseudonyms)} go by a pseudonym`}.`,
    ),
  ].join('\n')
