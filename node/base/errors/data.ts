import type { ErrorEntry } from '../errors.ts'

/**
 * 300x to 302x rows and files, 303x mapping, 304x files written by people, 305x training, 306x receipts.
 * Text names a line and a column; never a value, row or identifier of a patient.
 */
export const dataErrors = {
  'ROTA-3001': { what: 'cannot read {file}: {reason}', remedy: 'Check the path and that this account may read it, then try again.', reaction: 'stop' },
  'ROTA-3002': { what: '{file} holds no rows', remedy: 'The file needs a header line and one line per patient; was the export finished?', reaction: 'reject' },
  'ROTA-3003': {
    what: '{file}, line {line}: {found} fields where the header has {expected}',
    remedy: 'Look for a missing value, or a separator inside a text that is not in quotes.',
    reaction: 'reject',
  },
  'ROTA-3004': {
    what: '{file}, line {line}, column {column}: not a number',
    remedy: 'Correct the cell, or give the column `codes` in the mapping file; name signs for "no value" under `missing`.',
    reaction: 'reject',
  },
  'ROTA-3005': {
    what: "{file}, line {line}, column {column}: outside the protocol's range {low} to {high} {unit}",
    remedy: "Correct the cell or the column's unit in the mapping file. If the value is right, the study's range is too narrow: tell its publisher.",
    reaction: 'reject',
  },
  'ROTA-3006': { what: '{file} has no column {column} (nearest: {nearest})', remedy: 'Name the right column for it in the mapping file.', reaction: 'reject' },
  'ROTA-3007': {
    what: 'unknown unit {unit} (nearest: {nearest})',
    remedy: 'Use a UCUM code such as mm[Hg], kPa, mg/dL, mmol/L, a, mo, kg, cm, Cel; or convert the column before export.',
    reaction: 'reject',
  },
  'ROTA-3008': {
    what: 'no conversion from {from} to {to} for {feature}',
    remedy: 'Check both units. Between mass and amount of a substance, name the `substance` in the mapping file (known: {substances}).',
    reaction: 'reject',
  },
  'ROTA-3009': {
    what: '{file}: lines {first} and {line} name the same patient',
    remedy: 'Keep one line per patient, or remove `patient` from the mapping if the column names something else.',
    reaction: 'reject',
  },
  'ROTA-3010': {
    what: '{file}, line {line}, column {column}: the label holds {count} different values; this study needs exactly 0 and 1',
    remedy: 'Map the label with `codes` in the mapping file, or use another learner.',
    reaction: 'reject',
  },
  'ROTA-3011': {
    what: '{file}, line {line}, column {column}: a code that the mapping does not name',
    remedy: 'Add it to `codes` of that column in the mapping file.',
    reaction: 'reject',
  },
  'ROTA-3012': {
    what: '{file}, line {line}, column {column}: no value, and the protocol refuses missing values here',
    remedy: 'Fill it in at the source, or leave the patient out of the export.',
    reaction: 'reject',
  },
  'ROTA-3013': {
    what: '{file}, line {line}, column {column}: a number with a comma',
    remedy: 'If it is a decimal comma, write `decimal: ","` in the mapping file; digits may not be grouped.',
    reaction: 'reject',
  },
  'ROTA-3014': {
    what: '{file}, line {line}, column {column}: neither train nor test',
    remedy: 'The set column may hold `train` and `test` only.',
    reaction: 'reject',
  },
  'ROTA-3015': { what: '{file}: header field {position} is empty or a repetition', remedy: 'Give every column one name of its own.', reaction: 'reject' },
  'ROTA-3016': { what: '{file} is not UTF-8 text', remedy: 'Export it as CSV in UTF-8.', reaction: 'reject' },
  'ROTA-3017': {
    what: '{file}, line {line}: a quotation mark out of place',
    remedy: 'Close the quoted text, and double quotation marks inside it.',
    reaction: 'reject',
  },
  'ROTA-3018': {
    what: "{file} has {rows} {set} rows, more than the protocol's {maxRows}",
    remedy: "The bound guards the sums against overflow: ask the study's publisher for a protocol with a larger maxRows.",
    reaction: 'reject',
  },
  'ROTA-3019': {
    what: "{rows} rows are fewer than the protocol's {minRows}",
    remedy: 'The site abstains from this study until it has more patients.',
    reaction: 'reject',
  },
  'ROTA-3020': { what: '{file}, line {line}: the patient column {column} is empty', remedy: 'Give every line the name of its patient.', reaction: 'reject' },
  'ROTA-3022': {
    what: '{file}, line {line}, column {column}: a count must be a whole number from 0 on',
    remedy: 'Correct the cell, or use a linear study.',
    reaction: 'reject',
  },
  'ROTA-3023': {
    what: '{file}: no separator found in the header (tried , ; tab and |)',
    remedy: 'Write one `delimiter` in the mapping file, or export the file as CSV.',
    reaction: 'reject',
  },
  'ROTA-3030': {
    what: '{file}: {name} is no feature or label of the protocol (nearest: {nearest})',
    remedy: "Use the protocol's names; `rota study show` lists them.",
    reaction: 'reject',
  },
  'ROTA-3041': {
    what: '{file}, line {line}: not valid YAML ({reason})',
    remedy: 'Check indentation, quotation marks and colons of that line.',
    reaction: 'reject',
  },
  'ROTA-3042': { what: '{file}, line {line}: unknown key {key} (nearest: {nearest})', remedy: 'Correct or remove it.', reaction: 'reject' },
  'ROTA-3043': { what: '{file}, line {line}: {path}: {reason}', remedy: 'Correct the value.', reaction: 'reject' },
  'ROTA-3050': {
    what: 'no training backend works here: {tried}',
    remedy: 'See `rota backend test`; reinstall the dependencies (npm ci) when wasm and cpu fail.',
    reaction: 'stop',
  },
  'ROTA-3051': {
    what: 'this training task cannot be run: {reason}',
    remedy: "The study's protocol or the data made it so; nothing was trained.",
    reaction: 'reject',
  },
  'ROTA-3052': {
    what: 'the training process ({backend}) ended: {reason}',
    remedy: 'It is started again at the next training; if it repeats, look at memory and `rota backend test`.',
    reaction: 'retry',
  },
  'ROTA-3053': {
    what: 'training gave weights that are no numbers',
    remedy: "The learning rate is too large for these data: tell the study's publisher.",
    reaction: 'reject',
  },
  'ROTA-3054': {
    what: 'the installer of {package} did not finish: {reason}',
    remedy:
      'Its download host may be out of reach. Build the addon against the library of a TensorFlow wheel (docs/operating.md, native backends), or stay with wasm.',
    reaction: 'stop',
  },
  'ROTA-3055': {
    what: '{package} is not installed',
    remedy: "In the program's folder, run `npm install --no-save {package}@4.22.0`, then `rota backend install` again.",
    reaction: 'stop',
  },
  'ROTA-3056': {
    what: 'unknown or unusable training backend {backend}: {reason}',
    remedy: 'Choose one that `rota backend list` shows as usable, or `auto`.',
    reaction: 'reject',
  },
  'ROTA-3057': { what: 'the trainer was stopped', remedy: 'Nothing to do: the node is shutting down.', reaction: 'ignore' },
} as const satisfies Record<string, ErrorEntry>
