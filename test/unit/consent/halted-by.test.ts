import assert from 'node:assert/strict'
import { it } from 'node:test'
import { haltedBy } from '#app/study/halted-by.ts'
import { runId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'

// given what the chain says of runs
// ├── one that a hospital halted since its patients changed is told so, with the hospital
// └── one that goes on, ended otherwise, or is another's, is not

const changed = (run: number, state: string, reason = 0): ChainEvent =>
  ({ kind: 'RunStateChanged', run: runId(run), state, site: 2, reason }) as unknown as ChainEvent

it('a run that a hospital halted is told so', () => {
  const events = [changed(1, 'Halted', 5), changed(2, 'Paused'), changed(2, 'Active'), changed(3, 'Halted', 99), changed(4, 'Ended')]
  assert.deepEqual(haltedBy(events, runId(1)), { site: 2, reason: 'cohortChanged' })
  assert.deepEqual(haltedBy(events, runId(3)), { site: 2, reason: 'unspecified' })
  for (const run of [2, 4, 5]) assert.equal(haltedBy(events, runId(run)), null)
})
