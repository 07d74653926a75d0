import { stringify } from 'yaml'
import { type ColumnFinding, inspectColumns } from '#adapters/cohort/inspect-columns.ts'
import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'
import { FEWEST_MASKED } from '#core/masking/threshold.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import { parseProtocol } from './protocol-file.ts'

export interface DraftOptions {
  /** Default: a column named `label` or `outcome`, else the last column of numbers. */
  readonly label?: string | undefined
  /** Columns to leave out. */
  readonly drop?: readonly string[] | undefined
  readonly title?: string | undefined
  /** Default: logistic for a 0/1 label, else linear. Keys left out get their defaults. */
  readonly learner?: ({ readonly kind: LearnerSpec['kind'] } & Readonly<Record<string, unknown>>) | undefined
  readonly minRows?: number | undefined
  readonly minSites?: number | undefined
  readonly maxSites?: number | undefined
  /** Column that names the patient, so that it is no feature. */
  readonly patient?: string | undefined
  /** Whether patients may rest so that nobody sees who withdrew. Default: of exact learners. */
  readonly rest?: boolean | undefined
}

/** Columns that say something of the row, not of the patient's health. */
const NEVER_FEATURES = ['site', 'set', 'patient']
const USUAL_LABELS = ['label', 'outcome', 'target']

/** The draft as a protocol, for simulations: nobody withdraws there, so that nobody rests. @throws as draftProtocol and parseProtocol */
export const protocolFromData = async (file: string, options: DraftOptions = {}): Promise<Protocol> =>
  parseProtocol(await draftProtocol(file, { ...options, rest: false }), `draft for ${file}`)

/**
 * A commented protocol in YAML from what the columns hold. Ranges are rounded outwards; units, purpose and wording are
 * left for people to fill in.
 * @throws ROTA-3xxx when the file cannot be read; ROTA-3006 when label or a dropped column is not there
 */
export async function draftProtocol(file: string, options: DraftOptions = {}): Promise<string> {
  const found = await inspectColumns(file)
  const names = found.map((column) => column.name)
  for (const column of [...(options.drop ?? []), ...(options.label === undefined ? [] : [options.label])]) {
    if (!names.includes(column)) throw new RotaError('ROTA-3006', { file, column, nearest: nearest(column, names) })
  }
  if ((found[0]?.rows ?? 0) === 0) throw new RotaError('ROTA-3002', { file })
  const left = new Set([...NEVER_FEATURES, ...(options.drop ?? []), ...(options.patient === undefined ? [] : [options.patient])])
  const usable = found.filter((column) => !left.has(column.name))
  const label = labelColumn(usable, options.label, file)
  const features = usable.filter((column) => column !== label && column.numeric)
  const texts = usable.filter((column) => column !== label && !column.numeric)
  if (features.length === 0) throw new RotaError('ROTA-3006', { file, column: '(one with numbers, for a feature)', nearest: '-' })
  return [
    head(label.rows, options),
    features.map(featureText).join(''),
    textColumns(texts),
    labelText(label, options),
    learnerText(label, options),
    tail(options),
  ].join('')
}

function labelColumn(usable: readonly ColumnFinding[], told: string | undefined, file: string): ColumnFinding {
  const usual = told === undefined ? USUAL_LABELS : [told]
  const label = usual.map((name) => usable.find((column) => column.name === name)).find((column) => column !== undefined)
  const chosen = label ?? usable.findLast((column) => column.numeric)
  if (chosen === undefined) throw new RotaError('ROTA-3006', { file, column: '(one with numbers, for the label)', nearest: '-' })
  return chosen
}

const head = (
  rows: number,
  options: DraftOptions,
): string => `# A study protocol for Rota. Stewards approve it by its digest: whatever is changed here needs their approval again.
# Written from the columns of one hospital's file. Go through every line; what only people know is marked "fill in".
version: 1
title: ${scalar(options.title ?? "Fill in: the study's title")}
purpose: 'Fill in: what the result is for, in words that a patient understands'
lawfulBasis: opt-out        # or: consent (only patients who agreed to the programme)
programme: research         # name of the consent programme
cohort:
  rule: 'Fill in: which patients belong to it'
  minRows: ${options.minRows ?? 10}               # a hospital with fewer train rows abstains
  maxRows: ${roomFor(rows)}            # most rows at one hospital; guards the sums against overflow
${restText(options)}
# A value outside its range is an error, never cut off. All hospitals' values must fit: ask them before publishing.
# unit: a UCUM code such as mm[Hg], mg/dL, a; "1" for pure numbers and 0/1 flags. missing: refuse, drop-row, or {fill: number}.
features:
`

/** Of a network, and with noise, nobody's leaving shows in the result. */
const restText = ({ learner, rest = learner?.kind !== 'neural' }: DraftOptions): string =>
  rest
    ? `  differencing: rest        # who withdraws is hidden: ten others are left out with them for a while. Or abstain: the hospital stays out of
                            # exact runs until ten have changed, which shows where somebody withdrew. Leave it out of studies with \`privacy\`
`
    : ''

function featureText(column: ColumnFinding): string {
  const [low, high] = rangeOf(column)
  const notes = [column.flag ? '0/1 flag' : `${column.distinct > 20 ? 'more than 20' : column.distinct} different values`]
  if (column.missing > 0) notes.push(`${column.missing} of ${column.rows} empty`)
  if (column.min === column.max) notes.push('the same everywhere here')
  return `  - name: ${scalar(column.name)}        # ${notes.join(', ')}
    description: ''
    unit: '1'${column.flag ? '' : '               # fill in'}
    range: [${low}, ${high}]
    missing: ${column.missing > 0 ? 'drop-row' : 'refuse'}
`
}

const textColumns = (columns: readonly ColumnFinding[]): string =>
  columns.length === 0
    ? ''
    : `  # Left out, since they hold text (map them with codes in each hospital's mapping file to use them): ${columns.map((c) => scalar(c.name)).join(', ')}\n`

function labelText(label: ColumnFinding, options: DraftOptions): string {
  const kind = label.flag ? 'binary' : options.learner?.kind === 'poisson' ? 'count' : 'number'
  const [low, high] = kind === 'binary' ? [0, 1] : rangeOf(label)
  return `
label:
  name: ${scalar(label.name)}
  description: ''
  unit: '1'${kind === 'binary' ? '' : '                 # fill in'}
  kind: ${kind}              # binary (0 and 1), number, or count
  range: [${low}, ${high}]
`
}

function learnerText(label: ColumnFinding, options: DraftOptions): string {
  const learner = options.learner ?? { kind: label.flag ? 'logistic' : 'linear', algorithm: 'newton', l2: 0, siteIntercepts: false, standardise: 'pooled' }
  const lines = stringify(learner, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}\n`)
  return `
# statistics, logistic, linear or poisson by newton (exact: as if all rows were in one place), logistic by fedavg, neural
learner:
${lines.join('')}`
}

const tail = (options: DraftOptions): string => `
${modeText(options)}minSites: ${options.minSites ?? 3}
maxSites: ${options.maxSites ?? 16}
readers: []                 # auditors: - {name: …, encryptionKey: 0x…}
# privacy: { epsilon: 3, delta: 1e-5 }   # differential privacy of each patient; without it every result says that there is none
`

/** Masked wherever a study may be. */
const modeText = ({ minSites = 3 }: DraftOptions): string =>
  minSites < FEWEST_MASKED
    ? `mode: open                  # members see each other's updates; masked needs at least ${FEWEST_MASKED} sites\n`
    : `mode: masked                # members see the sum of all updates and nothing else; open: each other's updates\n`

/** Ten times what is here, as 1 and zeros: other hospitals may be larger. */
const roomFor = (rows: number): number => 10 ** Math.max(4, Math.ceil(Math.log10(rows * 10)))

/** Outwards to a round number, in steps of about a tenth of the span; a constant column gets one unit to each side. */
export function rangeOf(column: Pick<ColumnFinding, 'min' | 'max' | 'flag'>): readonly [number, number] {
  if (column.flag) return [0, 1]
  const { min, max } = column
  if (min === max) return [Math.floor(min) - 1, Math.ceil(max) + 1]
  const step = roundStep((max - min) / 10)
  return [tidy(Math.floor(min / step) * step), tidy(Math.ceil(max / step) * step)]
}

function roundStep(wanted: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(wanted))
  const digit = wanted / magnitude
  return (digit > 5 ? 10 : digit > 2 ? 5 : digit > 1 ? 2 : 1) * magnitude
}

const tidy = (value: number): number => Number(value.toPrecision(12)) || 0
const scalar = (text: string): string => stringify(text, { lineWidth: 0 }).trimEnd()
