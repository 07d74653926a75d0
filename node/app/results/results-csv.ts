import { writeFile } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'
import { modeLabel } from './privacy-statement.ts'
import type { ResultsView } from './results.ts'

type Value = string | number | null | undefined

/** The numbers behind the first table, in full precision: one line a column of the data. An empty cell has no value. */
export function resultsCsv({ results, protocol }: ResultsView): string {
  const promised = [modeLabel(protocol.mode), privacyCell(protocol)]
  if (results.kind === 'regression') {
    const { columns, coef, se, ci95, ratio, ratioCi95, z, p, raw, mean, std, statistic } = results
    const head = [
      'column',
      'mean',
      'std',
      'coef',
      'se',
      statistic,
      'p',
      'ci95_low',
      'ci95_high',
      'ratio',
      'ratio_ci95_low',
      'ratio_ci95_high',
      'coef_per_unit',
      'se_per_unit',
      ...PROMISED,
    ]
    const line = (column: string, j: number): Value[] => [
      column,
      mean[j],
      std[j],
      coef[j],
      se?.[j],
      z?.[j],
      p?.[j],
      ci95?.[j]?.[0],
      ci95?.[j]?.[1],
      ratio?.[j],
      ratioCi95?.[j]?.[0],
      ratioCi95?.[j]?.[1],
      raw.coef[j],
      raw.se?.[j],
      ...promised,
    ]
    return csv(head, columns.map(line))
  }
  if (results.kind === 'neural')
    return csv(['key', 'value'], [['weights', results.weights], ['rounds', results.iterations], ...PROMISED.map((key, i) => [key, promised[i]])])
  const names = results.quantiles.map((q) => `q${Math.round(100 * q)}`)
  return csv(
    ['column', 'unit', 'present', 'missing', 'mean', 'variance', 'sd', 'min', 'max', ...names, ...PROMISED],
    results.variables.map(({ name, unit, present, missing, mean, variance, sd, min, max, quantiles }) => [
      name,
      unit,
      present,
      missing,
      mean,
      variance,
      sd,
      min,
      max,
      ...quantiles,
      ...promised,
    ]),
  )
}

/** In each line, so that no copy of a part loses them. */
const PROMISED = ['mode', 'privacy']

const privacyCell = ({ privacy }: ResultsView['protocol']): string =>
  privacy === undefined ? 'none' : `epsilon ${privacy.epsilon} delta ${privacy.delta.toExponential()} ${privacy.place}`

/** @throws ROTA-1306 when the disk refuses */
export async function writeText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (cause) {
    throw new RotaError('ROTA-1306', { file, reason: String((cause as NodeJS.ErrnoException).code ?? 'unknown') }, cause)
  }
}

const csv = (head: readonly string[], rows: readonly (readonly Value[])[]): string => [head, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('')

/** Quoted where RFC 4180 asks for it; names that a spreadsheet would take for a formula are made text. */
function cell(value: Value): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : ''
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
