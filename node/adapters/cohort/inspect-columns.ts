import { openCsv } from './csv-file.ts'
import { MISSING_SIGNS } from './mapping.ts'

/** What a column seems to hold. The ends of its range never leave the site but rounded, in a protocol that a person has read. */
export interface ColumnFinding {
  readonly name: string
  readonly rows: number
  readonly missing: number
  /** Every value is a number. */
  readonly numeric: boolean
  readonly whole: boolean
  /** Only 0 and 1. */
  readonly flag: boolean
  /** Different values, counted up to 21. */
  readonly distinct: number
  readonly min: number
  readonly max: number
}

const COUNTED_UP_TO = 21

/** @throws ROTA-3001 to 3003, 3015 to 3017, 3023 */
export async function inspectColumns(file: string): Promise<readonly ColumnFinding[]> {
  const csv = await openCsv(file)
  const tallies = csv.columns.map((name) => ({
    name,
    rows: 0,
    missing: 0,
    numeric: true,
    whole: true,
    values: new Set<string>(),
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  }))
  for await (const { cells } of csv.rows) {
    for (const [i, tally] of tallies.entries()) {
      const text = cells[i] ?? ''
      tally.rows += 1
      if (MISSING_SIGNS.includes(text)) tally.missing += 1
      else {
        const value = Number(text)
        if (!Number.isFinite(value)) tally.numeric = false
        if (!Number.isInteger(value)) tally.whole = false
        if (tally.values.size < COUNTED_UP_TO) tally.values.add(Number.isFinite(value) ? String(value) : text)
        tally.min = Math.min(tally.min, value)
        tally.max = Math.max(tally.max, value)
      }
    }
  }
  return tallies.map(({ values, ...tally }) => ({
    ...tally,
    numeric: tally.numeric && values.size > 0,
    distinct: values.size,
    flag: values.size > 0 && [...values].every((v) => v === '0' || v === '1'),
  }))
}
