import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { readCell } from './cells.ts'
import { openCsv } from './csv-file.ts'
import { columnFor, type Mapping } from './mapping.ts'
import { readerFor } from './row-plan.ts'

/** A line of a file to predict for: its cells as they stand, and its features in the protocol's units. */
export interface FeatureRow {
  readonly line: number
  readonly cells: readonly string[]
  /** Null when a cell is empty that the protocol's rule does not fill in. */
  readonly features: Float64Array | null
}

export interface FeatureFile {
  readonly columns: readonly string[]
  readonly delimiter: string
  readonly rows: AsyncIterable<FeatureRow>
}

/**
 * Features alone, by the site's mapping: no label, no patient, no set, and every line of the file (`only` is about the site's own file).
 * @throws ROTA-3001 to 3017 for the file, 3006 missing column, 3007 and 3008 units; while reading 3004, 3005, 3011, 3013 with line and column
 */
export async function openFeatures(file: string, mapping: Mapping, protocol: Protocol): Promise<FeatureFile> {
  const { columns, delimiter, rows } = await openCsv(file, mapping.delimiter)
  const plan = protocol.features.map((feature) => {
    const column = columnFor(mapping, feature.name)
    const index = columns.indexOf(column)
    if (index < 0) throw new RotaError('ROTA-3006', { file, column, nearest: nearest(column, columns) })
    return { column, index, reader: readerFor(feature, mapping), missing: feature.missing }
  })
  async function* read(): AsyncGenerator<FeatureRow> {
    for await (const { line, cells } of rows) {
      const values = plan.map(({ column, index, reader, missing }) => {
        const value = readCell(cells[index] ?? '', reader, { file, line, column })
        return value ?? (typeof missing === 'object' ? missing.fill : null)
      })
      yield { line, cells, features: values.includes(null) ? null : Float64Array.from(values as number[]) }
    }
  }
  return { columns, delimiter, rows: read() }
}
