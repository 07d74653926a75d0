import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '#app/sha256.ts'
import type { SimulatedNetwork } from '#app/simulate/simulated-network.ts'
import { openFolder } from '#audit/folder-source.ts'
import type { AuditReport } from '#audit/report.ts'
import { verifyLog } from '#audit/verify.ts'
import { has } from '#base/bitmap.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { transcribe } from '../../test/unit/audit/transcribe.ts'
import type { RunRecord } from './record.ts'
/** What an auditor says of a run that is over, with what an honest site reads that is up. Null when none is. */
export async function auditOf({ world }: SimulatedNetwork, { honest, up }: RunRecord, protocol: Protocol): Promise<AuditReport | null> {
  const site = world.sites.find(({ id }) => honest.includes(id) && has(up, id))
  if (site === undefined) return null
  const dir = await mkdtemp(join(tmpdir(), 'rota-chaos-'))
  try {
    const { chain, reader } = await transcribe(dir, world, world.start(site), protocol)
    return await verifyLog({ chain, reader, sources: [await openFolder(dir)], learnerFor: (of) => learnerFor(of, sha256) })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
