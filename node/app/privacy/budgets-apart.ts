import { Worker } from 'node:worker_threads'
import { RotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import type { AccountedStudy, Budget, LedgerView } from './budgets.ts'

export interface BudgetQuestion {
  readonly ledger: LedgerView
  readonly place: { readonly site: SiteId; readonly dataset: Digest }
  readonly studies: readonly AccountedStudy[]
}

/**
 * `budgetsOf`, by PRV too, in a thread of its own: a node that counts tightly for half a second would keep a round waiting. Holds no process open.
 * @throws ROTA-1001 when the thread ends without an answer, and as `budgetsOf`
 */
export function budgetsApart(question: BudgetQuestion): Promise<readonly Budget[]> {
  const thread = new Worker(new URL('./budgets-thread.ts', import.meta.url), { workerData: question, execArgv: [], name: 'rota-budgets' })
  thread.unref()
  return new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', (code) => reject(new RotaError('ROTA-1001', { reason: `the thread that counts privacy budgets ended with ${code}` })))
  })
}
