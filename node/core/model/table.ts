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
