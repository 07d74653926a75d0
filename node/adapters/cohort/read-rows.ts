import { RotaError } from '#base/errors.ts'
import type { SplitTable, Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { readCell } from './cells.ts'
import { type CsvRow, openCsv } from './csv-file.ts'
import type { Mapping } from './mapping.ts'
import { type PlannedColumn, planRows, type RowPlan } from './row-plan.ts'

export interface PatientRow {
  readonly line: number
  /** What names the patient at this site; leaves it only as a keyed digest. */
  readonly patient: string
  readonly set: 'train' | 'test'
  readonly values: Float64Array
  readonly label: number
}

export interface ReadRows {
  readonly rows: readonly PatientRow[]
  /** Left out by the protocol's rule `drop-row`. */
  readonly dropped: number
  /** Empty cells by name of feature or label. */
  readonly missing: Readonly<Record<string, number>>
  readonly plan: RowPlan
  readonly columns: readonly string[]
}

/** Strict readers throw; a preview counts. */
export type Report = (problem: RotaError) => void

export const throwProblem: Report = (problem) => {
  throw problem
}

/**
 * A site's file in the protocol's features and units, checked cell by cell. The line names the patient where no column does.
 * With a `report` that returns, a row with a problem is left out and reading goes on.
 * @throws ROTA-300x to 3023, 3030 by `report` or when the file as a whole cannot be read
 */
export async function readRows(file: string, mapping: Mapping, protocol: Protocol, report: Report = throwProblem): Promise<ReadRows> {
  const csv = await openCsv(file, mapping.delimiter)
  const plan = planRows(csv.columns, file, mapping, protocol)
  const work = new Reading(file, plan, protocol, report)
  for await (const row of csv.rows) work.take(row)
  work.finish()
  return { rows: work.rows, dropped: work.dropped, missing: work.missing, plan, columns: csv.columns }
}

/** What is remembered from line to line. */
class Reading {
  readonly rows: PatientRow[] = []
  readonly missing: Record<string, number> = {}
  dropped = 0
  #lines = 0
  readonly #lineOf = new Map<string, number>()
  readonly #labels = new Set<number>()
  #badLabelLine: number | null = null
  #problems = 0
  #droppedNow = false
  readonly #file: string
  readonly #plan: RowPlan
  readonly #protocol: Protocol
  readonly #report: Report

  constructor(file: string, plan: RowPlan, protocol: Protocol, report: Report) {
    this.#file = file
    this.#plan = plan
    this.#protocol = protocol
    this.#report = report
  }

  take(row: CsvRow): void {
    const { only } = this.#plan
    if (only !== null && row.cells[only.index] !== only.value) return
    this.#lines += 1
    const before = this.#problems
    this.#droppedNow = false
    const patient = this.#patient(row)
    const set = this.#set(row)
    const values = Float64Array.from(this.#plan.features, (column) => this.#cell(row, column))
    const label = this.#label(row)
    if (this.#problems > before) return
    if (this.#droppedNow) this.dropped += 1
    else this.rows.push({ line: row.line, patient, set, values, label })
  }

  finish(): void {
    if (this.#lines === 0) throw new RotaError('ROTA-3002', { file: this.#file })
    if (this.#badLabelLine !== null) {
      this.#tell(new RotaError('ROTA-3010', { file: this.#file, line: this.#badLabelLine, column: this.#plan.label.column, count: this.#labels.size }))
    }
    const { maxRows } = this.#protocol.cohort
    for (const set of ['train', 'test'] as const) {
      const rows = this.rows.filter((row) => row.set === set).length
      if (rows > maxRows) this.#tell(new RotaError('ROTA-3018', { file: this.#file, rows, set, maxRows }))
    }
  }

  #tell(problem: RotaError): void {
    this.#problems += 1
    this.#report(problem)
  }

  #patient(row: CsvRow): string {
    const place = this.#plan.patient
    if (place === null) return `line ${row.line}`
    const name = row.cells[place.index] ?? ''
    if (name === '') this.#tell(new RotaError('ROTA-3020', { file: this.#file, line: row.line, column: place.column }))
    const first = this.#lineOf.get(name)
    if (first !== undefined) this.#tell(new RotaError('ROTA-3009', { file: this.#file, first, line: row.line }))
    else this.#lineOf.set(name, row.line)
    return name
  }

  #set(row: CsvRow): 'train' | 'test' {
    const place = this.#plan.set
    if (place === null) return 'train'
    const text = (row.cells[place.index] ?? '').toLowerCase()
    if (text !== 'train' && text !== 'test') this.#tell(new RotaError('ROTA-3014', { file: this.#file, line: row.line, column: place.column }))
    return text === 'test' ? 'test' : 'train'
  }

  /** NaN where the cell has a problem, or no value in a statistics study. */
  #cell(row: CsvRow, column: PlannedColumn): number {
    const place = { file: this.#file, line: row.line, column: column.column }
    try {
      const value = readCell(row.cells[column.index] ?? '', column.reader, place)
      return value ?? this.#whenMissing(column, row)
    } catch (problem) {
      if (!(problem instanceof RotaError)) throw problem
      this.#tell(problem)
      return Number.NaN
    }
  }

  #whenMissing(column: PlannedColumn, row: CsvRow): number {
    this.missing[column.name] = (this.missing[column.name] ?? 0) + 1
    if (typeof column.missing === 'object') return column.missing.fill
    if (column.missing === 'drop-row') this.#droppedNow = true
    else this.#tell(new RotaError('ROTA-3012', { file: this.#file, line: row.line, column: column.column }))
    return Number.NaN
  }

  #label(row: CsvRow): number {
    const value = this.#cell(row, this.#plan.label)
    const { kind } = this.#protocol.label
    if (Number.isNaN(value)) return value
    if (kind === 'count' && (!Number.isInteger(value) || value < 0)) {
      this.#tell(new RotaError('ROTA-3022', { file: this.#file, line: row.line, column: this.#plan.label.column }))
    }
    if (kind === 'binary') this.#labels.add(value)
    if (kind === 'binary' && value !== 0 && value !== 1) this.#badLabelLine ??= row.line
    return value
  }
}

export const toSplitTable = (rows: readonly PatientRow[], protocol: Protocol): SplitTable => ({
  train: toTable(
    rows.filter((row) => row.set === 'train'),
    protocol,
  ),
  test: toTable(
    rows.filter((row) => row.set === 'test'),
    protocol,
  ),
})

function toTable(rows: readonly PatientRow[], protocol: Protocol): Table {
  const columns = protocol.features.map((feature) => feature.name)
  const values = new Float64Array(rows.length * columns.length)
  rows.forEach((row, i) => values.set(row.values, i * columns.length))
  return { columns, rows: rows.length, values, label: Float64Array.from(rows, (row) => row.label) }
}
