import { commandsPage } from './commands-page.ts'
import { configTable } from './config-table.ts'
import { errorsPage } from './errors-page.ts'
import { folderTable } from './folder-table.ts'
import type { Document } from './generated.ts'
import { importedPackages } from './imported-packages.ts'
import { mappingTable } from './mapping-table.ts'
import { measuredTable } from './measured.ts'
import { metricsTable } from './metrics-table.ts'
import { learnerTables, protocolTable } from './protocol-tables.ts'
import { roundDiagram } from './round-diagram.ts'
import { rowsTable, whoDoesWhat } from './round-tables.ts'

/** Everything that is written by the code; test/unit/docs holds it up to date. */
export const DOCUMENTS: readonly Document[] = [
  { file: 'README.md', sections: { round: roundDiagram, measured: measuredTable } },
  { file: 'docs/cli.md', whole: commandsPage },
  { file: 'docs/errors.md', whole: errorsPage },
  { file: 'docs/how-a-round-works.md', sections: { diagram: roundDiagram, who: whoDoesWhat, rows: rowsTable } },
  { file: 'docs/operating.md', sections: { folder: folderTable, config: configTable, metrics: metricsTable } },
  { file: 'docs/protocol.md', sections: { protocol: protocolTable, learners: learnerTables, mapping: mappingTable } },
  { file: 'scripts/setup/packages.json', whole: importedPackages },
]
