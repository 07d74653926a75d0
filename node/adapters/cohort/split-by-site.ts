import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { openCsv } from './csv-file.ts'
import { defaultMapping, type Mapping } from './mapping.ts'
import { readRows, toSplitTable } from './read-rows.ts'

/**
 * Rows of many sites in one file, for simulations: by the value of the column `site`, in the order in which sites first occur.
 * Consent plays no part here.
 * @throws ROTA-3xxx as for a site's own file
 */
export async function splitBySite(
  file: string,
  protocol: Protocol,
  mapping: Mapping = defaultMapping(),
  column = 'site',
): Promise<ReadonlyMap<string, SplitTable>> {
  const { columns, rows } = await openCsv(file, mapping.delimiter)
  const index = columns.indexOf(column)
  if (index < 0) throw new RotaError('ROTA-3006', { file, column, nearest: nearest(column, columns) })
  const sites = new Set<string>()
  for await (const row of rows) sites.add(row.cells[index] ?? '')
  const tables = new Map<string, SplitTable>()
  for (const site of sites) {
    // Read as this site's own file would be: bounds on rows and names of patients hold within a site.
    const own = await readRows(file, { ...mapping, only: { column, value: site } }, protocol)
    tables.set(site, toSplitTable(own.rows, protocol))
  }
  return tables
}
