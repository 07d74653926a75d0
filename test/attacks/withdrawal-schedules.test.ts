import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { played as playedHere } from '../support/how-much.ts'
import { playSchedules } from './support/play-schedules.ts'
import type { Played } from './support/schedule.ts'

// given hospitals with patients' consents, in a world in which leaders die, nodes crash and the chain goes back
// ├── when patients withdraw at random moments of 100 runs (50 in a first look), the first contribution of every round opened after a tag's block is without them
// └── when one hospital's node does not ask the chain who has withdrawn, the same look finds it

const RUNS = playedHere({ few: 40, drawn: 90, all: 90 })
/** Of each kind: halted by the hospital itself; with patients who may rest, by whoever leads. */
const EXACT_RUNS = 5
const ALL = RUNS + 2 * EXACT_RUNS
/** Of each fault. */
const LEAST_STRUCK = ALL / 5

const struck = (played: readonly Played[], fault: string): number => played.filter(({ strikes }) => (strikes.get(fault) ?? 0) > 0).length

describe('a withdrawal', () => {
  it(`is heeded by the first contribution of every round opened after its block, in ${ALL} of ${ALL} schedules`, { timeout: 600_000 }, async (t) => {
    const played = [
      ...(await playSchedules({ kind: 'weights', from: 3, count: RUNS })),
      ...(await playSchedules({ kind: 'fit', from: 1_001, count: EXACT_RUNS })),
      ...(await playSchedules({ kind: 'resting', from: 1_001, count: EXACT_RUNS })),
    ]
    const violations = played.flatMap(({ seed, violations }) => violations.map((what) => `seed ${seed}: ${what}`))
    const contributions = played.reduce((sum, each) => sum + each.contributions, 0)
    const faults = ['takeover', 'crash', 'kill', 'reorganisation', 'endpoint-behind', 'held back'].map((fault) => `${fault} in ${struck(played, fault)}`)
    t.diagnostic(`${played.length} runs, ${contributions} contributions looked at; ${faults.join(', ')}`)
    assert.deepEqual(violations, [])
    assert.equal(played.length, ALL)
    const blind = played.slice(0, RUNS).filter((each) => each.contributions === 0)
    assert.deepEqual(
      blind.map(({ seed }) => seed),
      [],
      'a schedule in which no contribution is looked at shows nothing',
    )
    assert.ok(struck(played, 'held back') > 0, 'an update that was lost on its way was not sent again once its patient had withdrawn')
    for (const fault of ['takeover', 'crash', 'kill', 'reorganisation'])
      assert.ok(struck(played, fault) >= LEAST_STRUCK, `${fault} struck in ${struck(played, fault)} runs`)
  })

  it('is seen not to be heeded where a node ignores it', { timeout: 120_000 }, async () => {
    const played = await playSchedules({ kind: 'weights', from: 3, count: 4, sabotaged: true })
    for (const { seed, violations } of played)
      assert.ok(
        violations.some((what) => /in the declared cohort: against the withdrawal/.test(what)),
        `seed ${seed}: ${violations.join('; ')}`,
      )
  })
})
