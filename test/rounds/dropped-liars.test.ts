import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { has, sitesOf } from '#base/bitmap.ts'
import { siteId } from '#base/ids.ts'
import { brokenIn } from '../../scripts/chaos/invariants/all.ts'
import { playSeed } from '../../scripts/chaos/play-seed.ts'
import { only, type RunRecord } from '../../scripts/chaos/record.ts'

// given a masked run of seven, of which one keys and then drops out, so that the masks that others share with it stand in their sum
// ├── where it gave those above it other secrets than its seed makes, nobody takes noise for the sum: it is refused, all others repeat it, and the site is out of the run
// └── where it hid what it got from those below it under another pad, these tell what it was, and the round closes
const SITES = 7

function played(lies: FaultPlan['lies']): Promise<RunRecord> {
  return playSeed(1, SITES, { mode: 'masked', kind: 'weights', slices: 1, audited: true, plan: { ...NO_FAULTS, lies } })
}

const hiding = (site: number): FaultPlan['lies'][number] => ({ site: siteId(site), lie: 'false-pairs' })

function isMended(record: RunRecord): void {
  assert.deepEqual(brokenIn(record), [])
  assert.equal(record.view?.state, 'Finished')
  assert.deepEqual(record.audit?.faults, [])
}

describe('a site that keys and drops out', () => {
  it('is out of the run where those above it have other secrets than its seed makes', async () => {
    const record = await played([hiding(2)])
    isMended(record)
    const [refused, ...more] = only(record.events, 'RoundRefused')
    assert.deepEqual(more, [])
    const sets = new Map(only(record.events, 'Frozen').map(({ round, included }) => [round, sitesOf(included)]))
    for (const round of [refused?.round ?? 0, (refused?.round ?? 0) + 1]) assert.deepEqual(sets.get(round as never), [0, 1, 3, 4, 5, 6])
    for (const { round, site, holds } of only(record.events, 'Keyed')) if (round > (refused?.round ?? 0) && site !== 2) assert.ok(!has(holds, siteId(2)))
    assert.ok(record.audit?.notes.some((note) => note.includes('the deal of site 2') || note.includes('site 2 dealt shares')))
    assert.ok(record.timeline.some(({ text }) => text === 'finds the shares of site 2 false'))
  })

  it('costs no round where it hid what those below it gave, and they tell', async () => {
    const record = await played([hiding(6)])
    isMended(record)
    assert.deepEqual([only(record.events, 'RoundRefused').length, only(record.events, 'RoundVoid').length], [0, 0])
  })
})
