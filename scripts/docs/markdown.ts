/** A table; a `|` in a cell is escaped, so that it ends no column. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** First line of a page that nobody edits by hand. */
export const WRITTEN = '<!-- Written by scripts/docs/main.ts from the code. Change the code, then run: node scripts/docs/main.ts -->'
