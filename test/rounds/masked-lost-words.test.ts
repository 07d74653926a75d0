import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { siteId } from '#base/ids.ts'
import { brokenIn } from '../../scripts/chaos/invariants/all.ts'
import { playSeed } from '../../scripts/chaos/play-seed.ts'
import { only } from '../../scripts/chaos/record.ts'

// given masked rounds in which words are lost on their way
// ├── when not one message arrives, every round closes all the same: words are asked of their authors, everything else goes by its name on the chain
// └── when half of them are lost, and a quarter of what is fetched, one site tells each half something else and another deals garbage, no run of rounds is void

const SITES = 8

async function played(plan: Partial<FaultPlan>, loss: number) {
  const faults = { ...NO_FAULTS, gossip: { ...NO_FAULTS.gossip, loss }, ...plan }
  const record = await playSeed(1, SITES, { mode: 'masked', kind: 'weights', slices: 1, plan: faults })
  assert.deepEqual(brokenIn(record), [])
  assert.equal(record.view?.state, 'Finished')
  return { closed: only(record.events, 'RoundClosed').length, voids: only(record.events, 'RoundVoid').length }
}

describe('masked rounds without messages', () => {
  it('close though none arrives', { timeout: 240_000 }, async () => {
    assert.deepEqual(await played({}, 1), { closed: 8, voids: 0 })
  })

  it('close though half is lost, with as many liars as a round bears', { timeout: 240_000 }, async () => {
    const lies = [
      { site: siteId(0), lie: 'equivocation' },
      { site: siteId(3), lie: 'garbage-deal' },
    ] as const
    const { closed, voids } = await played({ fetchLoss: 0.27, lies, mostInTrouble: 2 }, 0.5)
    assert.equal(closed, 8)
    assert.ok(voids <= 2, `${voids} rounds are void`)
  })
})
