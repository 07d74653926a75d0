import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Crash, type Disturbance, NO_FAULTS } from '#adapters/sim/faults.ts'
import { sitesOf } from '#base/bitmap.ts'
import { siteId } from '#base/ids.ts'
import { brokenIn } from '../../scripts/chaos/invariants/all.ts'
import { playSeed } from '../../scripts/chaos/play-seed.ts'
import { only } from '../../scripts/chaos/record.ts'

// given a masked run of seven, in whose first round all key and two are away before they contribute, so that the set is as small as it may be
// └── where one of the set loses its folder before it shows its shares, those two are asked for theirs, and the round closes

describe('a set that is as small as it may be', () => {
  it('is unmasked by all who keyed, though one of it lost its secrets', async () => {
    const crashes = [5, 6].map((site): Crash => ({ site: siteId(site), point: 'chain.key', when: 'after', nth: 1, backAfterMs: 26_000 }))
    const lost: Disturbance = { at: { round: 1, phase: 'Publishing', afterMs: 0 }, kind: 'restore', who: siteId(4), backAfterMs: 2_000 }
    const record = await playSeed(1, 7, { mode: 'masked', kind: 'weights', slices: 1, plan: { ...NO_FAULTS, crashes, disturbances: [lost] } })
    assert.deepEqual(brokenIn(record), [])
    const set = only(record.events, 'Frozen').find((e) => e.round === 1)?.included
    assert.deepEqual(sitesOf(set as never), [0, 1, 2, 3, 4])
    const showing = new Set(record.shown.filter(({ round, survivors, about }) => round === 1 && (survivors & about) !== 0n).map(({ site }) => site))
    assert.ok(!showing.has(siteId(4)), 'its shares are gone')
    assert.ok(showing.has(siteId(5)) || showing.has(siteId(6)), 'who is not in the set shows shares too')
    assert.ok(only(record.events, 'RoundClosed').some(({ round }) => round === 1))
    assert.equal(record.view?.state, 'Finished')
  })
})
