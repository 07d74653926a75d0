import { join } from 'node:path'
import { DifferencingLedger } from '#adapters/cohort/differencing-ledger.ts'
import { SimDifferencing, type SimUsedCohort } from '#adapters/sim/differencing.ts'
import { tempFolder } from '../unit/cohort/support.ts'
import { differencingCompliance } from './differencing.ts'

differencingCompliance('in memory', () => {
  const disk: SimUsedCohort[] = []
  return { open: () => new SimDifferencing(disk) }
})

differencingCompliance('a file', () => {
  const file = join(tempFolder(), 'used.jsonl')
  return { open: () => new DifferencingLedger(file) }
})
