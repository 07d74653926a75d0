import type { Digest, SiteId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainReader, StudyRecord } from '#ports/chain.ts'
import type { Metrics } from '#web/metrics.ts'
import { type AccountedStudy, budgetsOf, readLedger } from './budgets.ts'

interface Watched {
  readonly chain: Pick<ChainReader, 'events' | 'runs' | 'studies'>
  readonly site: SiteId
  readonly dataset: Digest
  /** The protocol of a study from this disk; null while it is not there. */
  readonly protocolOf: (record: StudyRecord) => Promise<Protocol | null>
}

/**
 * Epsilon that this site's dataset has spent, and has left in each study with differential privacy, as the chain counts and refuses by. Read before each scrape;
 * a chain that does not answer leaves the last numbers standing.
 */
export function watchBudgets(metrics: Metrics, watched: Watched): void {
  const spent = metrics.gauge('rota_privacy_epsilon_spent', "Epsilon that this site's dataset has spent in all studies, at the delta of the study, by RDP.")
  const left = metrics.gauge('rota_privacy_epsilon_left', "Epsilon that the study's limit leaves this site's dataset, by RDP.")
  const studies = new Map<number, AccountedStudy>()
  metrics.onCollect(async () => {
    for (const record of await watched.chain.studies()) if (!studies.has(record.id)) await look(watched, record, studies)
    const accounted = [...studies.values()].filter(({ privacy }) => privacy !== null)
    if (accounted.length === 0) return
    const ledger = await readLedger(watched.chain)
    for (const { study, enforced, left: rest } of budgetsOf(ledger, watched, accounted, false)) {
      if (enforced !== null) spent.set(enforced, { study })
      left.set(rest, { study })
    }
  })
}

/** A protocol never changes: each is read once. */
async function look({ protocolOf }: Watched, record: StudyRecord, studies: Map<number, AccountedStudy>): Promise<void> {
  const protocol = await protocolOf(record)
  if (protocol !== null) studies.set(record.id, { study: record.id, privacy: protocol.privacy ?? null })
}
