import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'
import { openCsv } from './csv-file.ts'
import type { Mapping } from './mapping.ts'

/**
 * How this site names its patients: the column of the mapping (or one named `patient`), else the line. For the desk, which
 * records consents for many at once; the names never leave the site.
 * @throws ROTA-300x for the file, 3006 missing column, 3009 a patient twice, 3020 no name
 */
export async function patientNames(file: string, mapping: Mapping): Promise<readonly string[]> {
  const { columns, rows } = await openCsv(file, mapping.delimiter)
  const column = mapping.patient ?? (columns.includes('patient') ? 'patient' : null)
  const index = column === null ? -1 : columns.indexOf(column)
  const only = mapping.only === null ? -1 : columns.indexOf(mapping.only.column)
  if (column !== null && index < 0) throw new RotaError('ROTA-3006', { file, column, nearest: nearest(column, columns) })
  const lineOf = new Map<string, number>()
  for await (const { line, cells } of rows) {
    if (mapping.only !== null && cells[only] !== mapping.only.value) continue
    const name = column === null ? `line ${line}` : (cells[index] ?? '')
    if (name === '') throw new RotaError('ROTA-3020', { file, line, column: column ?? '' })
    const first = lineOf.get(name)
    if (first !== undefined) throw new RotaError('ROTA-3009', { file, first, line })
    lineOf.set(name, line)
  }
  return [...lineOf.keys()]
}
