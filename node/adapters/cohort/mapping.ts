import type { Protocol } from '#core/protocol/protocol.ts'

/**
 * How a site's file says what the protocol asks for: local columns, codes and units. Written as YAML (app/protocol/mapping-file.ts).
 * What is left out is taken as it is: a feature's column has the feature's name and unit.
 */
export interface Mapping {
  /** Path of the file, for error text. */
  readonly file: string
  /** Column that names the patient; without it the line does. */
  readonly patient: string | null
  /** Column that holds `train` or `test`; without it every row is for training. A column named `set` is taken when there is one. */
  readonly set: string | null
  /** Takes only lines with this value in this column. */
  readonly only: { readonly column: string; readonly value: string } | null
  readonly delimiter: string | null
  readonly decimal: '.' | ','
  /** Cell texts that mean "no value"; compared after trimming. */
  readonly missing: readonly string[]
  /** By name of feature or label. */
  readonly columns: Readonly<Record<string, ColumnMapping>>
}

export interface ColumnMapping {
  readonly column?: string | undefined
  /** UCUM code of the numbers in the file. */
  readonly unit?: string | undefined
  /** Cell text → number in the protocol's unit. With codes, any other text is an error. */
  readonly codes?: Readonly<Record<string, number>> | undefined
  /** For units between mass and amount: cholesterol, glucose, … */
  readonly substance?: string | undefined
}

export const MISSING_SIGNS: readonly string[] = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', '?', '.']

/** Columns named as the protocol's features and label, in its units. */
export const defaultMapping = (): Mapping => ({
  file: '(no mapping file)',
  patient: null,
  set: null,
  only: null,
  delimiter: null,
  decimal: '.',
  missing: MISSING_SIGNS,
  columns: {},
})

/** Features first, the label last: what a row is made of. */
export const wantedNames = (protocol: Protocol): readonly string[] => [...protocol.features.map((f) => f.name), protocol.label.name]

export const columnFor = (mapping: Mapping, name: string): string => mapping.columns[name]?.column ?? name
