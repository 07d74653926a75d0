import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { siteId } from '#base/ids.ts'
import { readyAfterMs } from '#round/readiness.ts'
import { brokenIn } from '../../scripts/chaos/invariants/all.ts'
import { playSeed } from '../../scripts/chaos/play-seed.ts'
import { only } from '../../scripts/chaos/record.ts'

// given a masked round of seven whose sum is published, two sites that say they are ready and show no shares, and one that is away
// └── when the sum is published in vain again and again, the run waits longer each time, and the round closes once the site is back; till then
//     every node says in each pause whose shares it lacks
const MINUTE_MS = 60_000
const ROW = 5

describe('a masked sum that liars let be published in vain', () => {
  it('is unmasked once those are back who were away, however often that was', { timeout: 240_000 }, async () => {
    const lies = [5, 6].map((site) => ({ site: siteId(site), lie: 'withheld-shares' }) as const)
    const disturbances = [{ at: { round: 2, phase: 'Attesting', afterMs: 0 }, kind: 'kill', who: siteId(1), backAfterMs: 9 * MINUTE_MS }] as const
    const record = await playSeed(1, 7, { mode: 'masked', kind: 'weights', slices: 1, plan: { ...NO_FAULTS, lies, disturbances } })
    assert.deepEqual([record.view?.state, brokenIn(record)], ['Finished', []])
    const rounds = (kind: 'Frozen' | 'RoundVoid' | 'RoundRefused') => only(record.events, kind).filter(({ round }) => round === 2).length
    assert.deepEqual([rounds('Frozen'), rounds('RoundVoid'), rounds('RoundRefused')], [1, 0, 0], 'one set, and no other')
    const closed = only(record.events, 'RoundClosed').find(({ round }) => round === 2)
    assert.ok((closed?.attempt ?? 0) >= 4 * ROW, `closed by publication ${closed?.attempt}`)

    const silent = record.timeline.filter(({ text }) => text === 'hears nothing of site 1, 5, 6, and the sum stays masked')
    const pauses = only(record.events, 'RunStateChanged').filter(({ state }) => state === 'Paused').length
    assert.deepEqual(
      [0, 2, 3, 4].map((site) => silent.filter((entry) => entry.site === site).length),
      [pauses, pauses, pauses, pauses],
    )

    const changes = record.said.flatMap(({ atMs, event: e }) => (e.kind === 'RunStateChanged' && e.state !== 'Finished' ? [{ atMs, state: e.state }] : []))
    const rests = changes.flatMap(({ atMs, state }, i) => (state === 'Active' ? [atMs - (changes[i - 1]?.atMs ?? 0)] : []))
    assert.ok(rests.length > 4)
    // By the chain's time, which calls move on: a little sooner than by a node's clock.
    for (const [i, restMs] of rests.entries())
      assert.ok(restMs >= 0.9 * readyAfterMs(i + 1) && restMs < readyAfterMs(i + 1) + 1_000, `pause ${i + 1}: ${restMs} ms`)
  })
})
