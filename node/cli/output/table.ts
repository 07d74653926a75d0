import { stripVTControlCharacters } from 'node:util'
import { plain, type Style } from './style.ts'

/** null prints as a dash. Numbers should come as text that `numbers.ts` made; a bare number prints as JavaScript writes it. */
export type Cell = string | number | null | undefined

/**
 * Columns side by side: a heading, a line, the rows. Columns whose cells all look like numbers stand on the right.
 * @param widest cuts longer cells with …; in characters
 */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], style: Style = plain, widest = 64): string {
  const cells = rows.map((row) => head.map((_, column) => cut(inOneLine(show(row[column])), widest)))
  const widths = head.map((title, column) => Math.max(width(title), ...cells.map((row) => width(row[column] ?? ''))))
  const right = head.map((_, column) => cells.length > 0 && cells.every((row) => NUMERIC.test(stripVTControlCharacters(row[column] ?? ''))))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, right[column] ?? false))
      .join('  ')
      .trimEnd()
  return [style.bold(line(head)), style.dim(widths.map((n) => '─'.repeat(n)).join('  ')), ...cells.map(line)].join('\n')
}

/** Names and values, one a line. */
export function facts(pairs: readonly (readonly [string, Cell])[], style: Style = plain): string {
  const widest = Math.max(0, ...pairs.map(([name]) => width(name)))
  return pairs.map(([name, value]) => `${style.dim(pad(name, widest, false))}  ${show(value)}`).join('\n')
}

const NUMERIC = /^(–|[<≥~]?\s?[-−+]?[\d .,']*\d(e[-+]?\d+)?( ?(%|[kMG]?B|s|ms|min))?|.*\d (to|of) .*\d)$/

const show = (cell: Cell): string => (cell === null || cell === undefined ? '–' : String(cell))
/** Whatever somebody called their site, study or programme: only our own marks of colour pass, nothing that moves the cursor or ends the line. */
const inOneLine = (text: string): string => text.replace(/\x1b(?!\[[\d;]*m)|(?!\x1b)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')
const width = (text: string): number => [...stripVTControlCharacters(text)].length
const cut = (text: string, widest: number): string => (width(text) <= widest ? text : `${[...stripVTControlCharacters(text)].slice(0, widest - 1).join('')}…`)

function pad(text: string, wanted: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, wanted - width(text)))
  return right ? space + text : text + space
}
