import { readFile } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'
import { MISSING_SIGNS } from '#adapters/cohort/mapping.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import type { Table } from '#core/model/table.ts'
import type { Feature, Label } from '#core/protocol/protocol.ts'
import { DemoError, must } from './demo-error.ts'

/** The rows before they are split: only the demo script sees them all, no node does. */
export interface DemoCohort {
  readonly source: string
  readonly columns: readonly string[]
  readonly label: string
  readonly hospitals: readonly DemoHospital[]
  /** Known only of generated rows; else the ranges are drafted from the data. */
  readonly known: { readonly features: readonly Feature[]; readonly label: Label; readonly truth: Truth } | null
}

export interface DemoHospital {
  readonly name: string
  readonly rows: readonly DemoRow[]
}

/** Log odds per unit, "(intercept)" last. */
export interface Truth {
  readonly columns: readonly string[]
  readonly coef: readonly number[]
}

export interface DemoRow {
  /** A hospital's own number for its patient; it never leaves the hospital. */
  readonly patient: string
  readonly set: 'train' | 'test'
  /** Cells as text, in the order of `columns`. */
  readonly cells: readonly string[]
  readonly label: string
}

const SITES = 4
const MOST_SITES = 8
const ROWS_PER_SITE = 300

/** Four unlike hospitals, whose patients' risks follow known coefficients. */
export function generatedCohort(seed: number): DemoCohort {
  const { features, label, sites, truth } = generateCohort({ sites: SITES, rows: ROWS_PER_SITE, seed })
  return {
    source: `a generated cohort (seed ${seed})`,
    columns: features.map((feature) => feature.name),
    label: label.name,
    hospitals: sites.map(({ name, table }) => ({ name, rows: numbered(name, [...rowsOf(table.train, 'train'), ...rowsOf(table.test, 'test')]) })),
    known: { features, label, truth },
  }
}

type Unnumbered = Omit<DemoRow, 'patient'>

const rowsOf = ({ columns, rows, values, label }: Table, set: 'train' | 'test'): Unnumbered[] =>
  Array.from({ length: rows }, (_, i) => ({
    set,
    cells: Array.from(values.subarray(i * columns.length, (i + 1) * columns.length), String),
    label: String(label[i]),
  }))

const numbered = (hospital: string, rows: readonly Unnumbered[]): DemoRow[] =>
  rows.map((row, i) => ({ patient: `${plainName(hospital)}-${String(i + 1).padStart(4, '0')}`, ...row }))

const RESERVED = ['site', 'set', 'patient', 'label']

/** Real rows from a file with the columns `site`, optional `set`, features and `label`. @throws DemoError when it is not such a file */
export async function cohortFromFile(file: string): Promise<DemoCohort> {
  const records = await readRecords(file)
  const columns = Object.keys(records[0] ?? {})
  must(
    columns.includes('site') && columns.includes('label'),
    `${file} has no column "${columns.includes('site') ? 'label' : 'site'}"`,
    'The demo needs the columns site, label and at least one feature.',
  )
  const features = columns.filter((column) => !RESERVED.includes(column) && records.every((record) => isNumber(cellValue(record[column]))))
  const bySite = Map.groupBy(records, (record) => record.site ?? '')
  must(
    bySite.size >= SITES && bySite.size <= MOST_SITES,
    `${file} has ${bySite.size} sites; the demo plays with ${SITES} to ${MOST_SITES}`,
    'Each site becomes a process of its own.',
  )
  const read = (record: Record<string, string>, i: number): Unnumbered => ({
    set: (columns.includes('set') ? record.set === 'test' : i % 3 === 2) ? 'test' : 'train',
    cells: features.map((column) => cellValue(record[column])),
    label: cellValue(record.label),
  })
  return {
    source: file,
    columns: features,
    label: 'label',
    hospitals: [...bySite].map(([name, own]) => ({ name, rows: numbered(name, own.map(read)) })),
    known: null,
  }
}

/** A cell, empty where it holds a sign for a missing value. */
const cellValue = (cell = ''): string => (MISSING_SIGNS.includes(cell) ? '' : cell)

/** Columns that hold text are left out, as a drafted protocol does. */
const isNumber = (value: string): boolean => Number.isFinite(Number(value))

/** For folders and patients' numbers. */
export const plainName = (name: string): string => name.replace(/[^\p{L}\p{N}_-]+/gu, '-')

async function readRecords(file: string): Promise<Record<string, string>[]> {
  try {
    return parse(await readFile(file), { columns: true, bom: true, skip_empty_lines: true, trim: true })
  } catch (cause) {
    throw new DemoError(`${file} cannot be read: ${(cause as Error).message}`, 'Give --data a CSV file with a heading.', cause)
  }
}

/** A hospital's own file: its rows and nobody else's. */
export function toCsv({ columns, label }: DemoCohort, rows: readonly DemoRow[]): string {
  const lines = rows.map((row) => [row.patient, row.set, ...row.cells, row.label].join(','))
  return `${['patient', 'set', ...columns, label].join(',')}\n${lines.join('\n')}\n`
}
