import type { PrivacyEvidence } from '#app/privacy-audit/audit-privacy.ts'
import { conclusionOf, figuresTable, notesOf, promisesTable } from '#app/privacy-audit/evidence-tables.ts'
import type { TextTable } from '#app/results/results-tables.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** What attacks found, for people. */
export function evidenceText(evidence: PrivacyEvidence, report: string | null, style: Style): string {
  const { site, patients, holds } = evidence
  return [
    `${style.bold(evidence.title)}: attacks on the ${patients} patients of ${site}, the smallest site`,
    tableText(promisesTable(evidence), style),
    tableText(figuresTable(evidence), style),
    notesOf(evidence)
      .map((note) => style.dim(`• ${note}`))
      .join('\n'),
    holds ? style.good(conclusionOf(evidence)) : style.warn(conclusionOf(evidence)),
    ...(report === null ? [] : [`Written: ${report}`]),
  ].join('\n\n')
}

const tableText = ({ title, head, rows, note }: TextTable, style: Style): string =>
  [style.bold(title), table(head, rows, style, 100), ...(note === undefined ? [] : [style.dim(note)])].join('\n')
