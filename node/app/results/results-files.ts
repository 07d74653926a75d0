import { reportHtml } from './report.ts'
import type { ResultsView } from './results.ts'
import { resultsCsv, writeText } from './results-csv.ts'

/** Writes what `--csv FILE` and `--report FILE` ask for. @returns the files written */
export async function writeResults(
  view: ResultsView,
  wanted: { readonly csv?: string | undefined; readonly report?: string | undefined },
): Promise<readonly string[]> {
  const written: string[] = []
  if (wanted.csv !== undefined) {
    await writeText(wanted.csv, resultsCsv(view))
    written.push(wanted.csv)
  }
  if (wanted.report !== undefined) {
    await writeText(wanted.report, reportHtml(view))
    written.push(wanted.report)
  }
  return written
}
