/** One site's consented rows in the protocol's features and units, checked against its ranges. Patients are not in it. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: number
  /** Row-major, rows × columns.length, in the protocol's units; NaN only where a `statistics` study counts missing values. */
  readonly values: Float64Array
  /** One per row, in the protocol's units. */
  readonly label: Float64Array
}

/** Rows for fitting and rows for testing; a site without a `set` column has an empty test table. */
export interface SplitTable {
  readonly train: Table
  readonly test: Table
}

/** The rows of tables with the same columns, one after the other. */
export function joined(tables: readonly Table[]): Table {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const columns = tables[0]?.columns ?? []
  const values = new Float64Array(rows * columns.length)
  const label = new Float64Array(rows)
  let at = 0
  for (const table of tables) {
    values.set(table.values, at * columns.length)
    label.set(table.label, at)
    at += table.rows
  }
  return { columns, rows, values, label }
}
