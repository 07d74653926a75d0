import { parentPort, workerData } from 'node:worker_threads'
import { budgetsOf } from './budgets.ts'
import type { BudgetQuestion } from './budgets-apart.ts'

const { ledger, place, studies } = workerData as BudgetQuestion
parentPort?.postMessage(budgetsOf(ledger, place, studies, true))
