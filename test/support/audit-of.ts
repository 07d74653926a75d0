import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SimPorts } from '#adapters/sim/site.ts'
import { sha256 } from '#app/sha256.ts'
import type { SimulatedNetwork } from '#app/simulate/simulated-network.ts'
import { openFolder } from '#audit/folder-source.ts'
import { verifyLog } from '#audit/verify.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { transcribe } from '../unit/audit/transcribe.ts'

/** What an auditor finds in a rehearsal's log and in one site's stores, as written down in a folder. */
export async function auditOf(network: SimulatedNetwork, site: SimPorts, protocol: Protocol): ReturnType<typeof verifyLog> {
  const dir = await mkdtemp(join(tmpdir(), 'rota-audit-'))
  try {
    const { chain, reader } = await transcribe(dir, network.world, site, protocol)
    return await verifyLog({ chain, reader, sources: [await openFolder(dir)], learnerFor: (of) => learnerFor(of, sha256) })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
