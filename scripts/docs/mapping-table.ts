import { MISSING_SIGNS } from '../../node/adapters/cohort/mapping.ts'
import { schema } from '../../node/app/protocol/mapping-file.ts'
import { keyTable } from './key-table.ts'

const COLUMN = {
  column: "The file's column, when its name is another.",
  unit: "UCUM code of the numbers in the file; they are converted to the protocol's unit.",
  codes: 'Text in the cell → number in the protocol. With codes, any other text is an error. Not together with `unit`.',
  substance: 'For units between mass and amount (mg/dL and mmol/L): `cholesterol`, `glucose`, …',
}

const columnTexts = (prefix: string): Record<string, string> => Object.fromEntries(Object.entries(COLUMN).map(([key, text]) => [`${prefix}.${key}`, text]))

const TEXTS: Readonly<Record<string, string>> = {
  patient: 'Column that names the patient. Without it each line is a patient.',
  set: 'Column that holds `train` or `test`. Without it, a column named `set` is taken when there is one; else every row is for training.',
  only: 'Takes only the lines with this value in this column.',
  'only.column': 'The column that is compared.',
  'only.value': 'The value that a line must have.',
  delimiter: 'Sign between cells. Without it, it is found out.',
  decimal: 'Sign before decimals.',
  missing: 'Cell texts that mean "no value". An empty cell always does.',
  features: "By the protocol's feature names; only what differs has to be written.",
  ...columnTexts('features.*'),
  label: 'The same for the label.',
  ...columnTexts('label'),
}

/** Every key of a mapping file. */
export const mappingTable = (): string =>
  keyTable(schema, TEXTS, {
    missing: MISSING_SIGNS.filter((sign) => sign !== '')
      .map((sign) => `\`${sign}\``)
      .join(' '),
  })
