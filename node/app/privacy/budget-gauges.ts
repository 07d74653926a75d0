import { nameOf } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainReader, StudyRecord } from '#ports/chain.ts'
import type { Log } from '#ports/host.ts'
import type { Metrics } from '#web/metrics.ts'
import { type AccountedStudy, accountedStudy, type Budget, budgetsOf, type LedgerView, readLedger } from './budgets.ts'
import { type BudgetQuestion, budgetsApart } from './budgets-apart.ts'

interface Watched {
  readonly chain: Pick<ChainReader, 'events' | 'runs' | 'studies'>
  readonly site: SiteId
  readonly dataset: Digest
  /** The protocol of a study from this disk; null while it is not there. */
  readonly protocolOf: (record: StudyRecord) => Promise<Protocol | null>
  readonly log: Pick<Log, 'warn'>
}

/**
 * Epsilon that this site's dataset has spent, and has left in each study with differential privacy, as the chain counts and refuses by, and tightly. Read before
 * each scrape; a chain that does not answer leaves the last numbers standing.
 */
export function watchBudgets(metrics: Metrics, watched: Watched): void {
  const spent = metrics.gauge('rota_privacy_epsilon_spent', "Epsilon that this site's dataset has spent in all studies, at the delta of the study, by RDP.")
  const left = metrics.gauge('rota_privacy_epsilon_left', "Epsilon that the study's limit leaves this site's dataset, by RDP: what the chain refuses by.")
  const countTightly = tightGauges(metrics, watched.log)
  const studies = new Map<number, AccountedStudy>()
  metrics.onCollect(async () => {
    for (const record of await watched.chain.studies()) if (!studies.has(record.id)) await look(watched, record, studies)
    const accounted = [...studies.values()].filter(({ privacy }) => privacy !== null)
    if (accounted.length === 0) return
    const question = {
      ledger: ownLedger(await readLedger(watched.chain), watched),
      place: { site: watched.site, dataset: watched.dataset },
      studies: accounted,
    }
    for (const { study, enforced, left: rest } of budgetsOf(question.ledger, question.place, accounted, false)) {
      if (enforced !== null) spent.set(enforced, { study })
      left.set(rest, { study })
    }
    countTightly(question)
  })
}

/** By PRV: counted anew once there is another charge or another protocol, beside the node's work. No scrape waits for it: the one after has it. */
function tightGauges(metrics: Metrics, log: Watched['log']): (question: BudgetQuestion) => void {
  const spent = metrics.gauge(
    'rota_privacy_epsilon_spent_tight',
    "Epsilon that this site's dataset has spent in all studies, at the delta of the study, by PRV; follows a charge within seconds.",
  )
  const left = metrics.gauge(
    'rota_privacy_epsilon_left_tight',
    "Epsilon that the study's limit would leave this site's dataset by PRV; the chain refuses by RDP.",
  )
  const show = (budgets: readonly Budget[]): void => {
    for (const gauge of [spent, left]) gauge.clear()
    for (const { study, tight, leftTight } of budgets) {
      if (tight !== null) spent.set(tight, { study })
      if (leftTight !== null) left.set(leftTight, { study })
    }
  }
  let counted = ''
  let isCounting = false
  return (question) => {
    const { ledger, studies } = question
    const asked = `${ledger.charges.length} charges to ${ledger.charges.at(-1)?.spent} of ${studies.map(({ study }) => study)}`
    if (isCounting || asked === counted) return
    isCounting = true
    const count = async (): Promise<void> => {
      show(await budgetsApart(question))
      counted = asked
    }
    // What could not be counted is asked again by the next scrape.
    void count()
      .catch((error: unknown) => log.warn('privacy.not-counted', { code: nameOf(error) }))
      .finally(() => (isCounting = false))
  }
}

/** The charges of one account: the others say nothing about it. */
const ownLedger = ({ charges, studyOf }: LedgerView, { site, dataset }: Watched): LedgerView => ({
  charges: charges.filter((charge) => charge.site === site && charge.dataset === dataset),
  studyOf,
})

/** A protocol never changes: each is read once. */
async function look({ protocolOf }: Watched, record: StudyRecord, studies: Map<number, AccountedStudy>): Promise<void> {
  const protocol = await protocolOf(record)
  if (protocol !== null) studies.set(record.id, accountedStudy(record.id, protocol))
}
