import type { ResultsView } from '#app/results/results.ts'
import { summaryOf, tablesOf } from '#app/results/results-tables.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** A result for the terminal: a summary, then a table for each part that is known. */
export function resultsText(view: ResultsView, style: Style, traffic: number | null = null): string {
  const parts = tablesOf(view).map(({ title, head, rows, note }) =>
    [style.accent(style.bold(title)), table(head, rows, style), ...(note === undefined ? [] : [style.dim(note)])].join('\n'),
  )
  return [style.bold(view.title), summaryOf(view, traffic), '', parts.join('\n\n')].join('\n')
}
