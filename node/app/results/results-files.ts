import { evidenceSectionOf } from '#app/privacy-audit/read-evidence.ts'
import { reportHtml } from './report.ts'
import type { ResultsView } from './results.ts'
import { resultsCsv, writeText } from './results-csv.ts'

/** Writes what `--csv FILE` and `--report FILE` ask for, the report with what attacks found where `--evidence FILE` says it. @returns the files written */
export async function writeResults(
  view: ResultsView,
  wanted: { readonly csv?: string | undefined; readonly report?: string | undefined; readonly evidence?: string | undefined },
): Promise<readonly string[]> {
  const written: string[] = []
  if (wanted.csv !== undefined) {
    await writeText(wanted.csv, resultsCsv(view))
    written.push(wanted.csv)
  }
  if (wanted.report !== undefined) {
    await writeText(wanted.report, reportHtml(view, ...(await evidenceSectionOf(view, wanted.evidence))))
    written.push(wanted.report)
  }
  return written
}
