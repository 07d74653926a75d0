import type { RotaError } from '#base/errors.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Mapping } from './mapping.ts'
import { privacyProblems } from './named-patients.ts'
import { readRows } from './read-rows.ts'
import type { PlannedColumn } from './row-plan.ts'

/** What a study would touch at this site, and whether it could: for `doctor` and `study approve`. Counts only, no values. */
export interface MappingPreview {
  readonly file: string
  readonly rows: { readonly train: number; readonly test: number; readonly dropped: number; readonly withProblems: number }
  readonly columns: readonly PreviewColumn[]
  /** Columns of the file that the study does not touch. */
  readonly untouched: readonly string[]
  /** 'column' when a column names patients, else 'line'. */
  readonly patientNamedBy: 'column' | 'line'
  /** First problem of each kind and column, with how often it occurs. */
  readonly problems: readonly { readonly error: RotaError; readonly count: number }[]
  readonly ready: boolean
}

export interface PreviewColumn {
  readonly name: string
  readonly column: string
  readonly unit: string
  readonly converted: boolean
  readonly coded: boolean
  readonly missing: number
  readonly outOfRange: number
  readonly notReadable: number
}

/** @throws ROTA-3xxx when the file as a whole cannot be read (missing, empty, ragged, a column missing) */
export async function previewMapping(file: string, mapping: Mapping, protocol: Protocol): Promise<MappingPreview> {
  const tally = new Map<string, { error: RotaError; count: number }>()
  const badLines = new Set<unknown>()
  const read = await readRows(file, mapping, protocol, (error) => {
    const key = `${error.code} ${error.details['column'] ?? ''}`
    const seen = tally.get(key)
    if (seen === undefined) tally.set(key, { error, count: 1 })
    else seen.count += 1
    badLines.add(error.details['line'])
  })
  const { plan } = read
  for (const error of privacyProblems(read, protocol)) tally.set(error.code, { error, count: 1 })
  const planned = [...plan.features, plan.label]
  const touched = new Set([...planned, plan.patient, plan.set, plan.only].map((place) => place?.column))
  const count = (column: PlannedColumn, codes: readonly string[]) => codes.reduce((sum, code) => sum + (tally.get(`${code} ${column.column}`)?.count ?? 0), 0)
  return {
    file,
    rows: {
      train: read.rows.filter((r) => r.set === 'train').length,
      test: read.rows.filter((r) => r.set === 'test').length,
      dropped: read.dropped,
      withProblems: badLines.size,
    },
    columns: planned.map((column) => ({
      name: column.name,
      column: column.column,
      unit: column.reader.unit,
      converted: column.reader.conversion.changes,
      coded: column.reader.codes !== undefined,
      missing: read.missing[column.name] ?? 0,
      outOfRange: count(column, ['ROTA-3005']),
      notReadable: count(column, ['ROTA-3004', 'ROTA-3010', 'ROTA-3011', 'ROTA-3013', 'ROTA-3022']),
    })),
    untouched: read.columns.filter((column) => !touched.has(column)),
    patientNamedBy: plan.patient === null ? 'line' : 'column',
    problems: [...tally.values()],
    ready: tally.size === 0,
  }
}
