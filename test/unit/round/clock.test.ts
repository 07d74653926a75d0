import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { siteId } from '#base/ids.ts'
import type { RoundView, StudyRules } from '#ports/chain.ts'
import { limitPassed } from '#round/clock.ts'

// given a round in Publishing with a limit of 30 s and 9 blocks
// ├── when at most three places are left, the limit is over after three thirds
// └── when nine are left, it lasts nine thirds: no node ticks before, since that would change nothing

const limit = { seconds: 30, blocks: 9 }
const rules = { limits: [limit, limit, limit, limit, limit] } as unknown as StudyRules
const round = (sites: number, firstPlace: number, phase = 'Publishing') =>
  ({ phase, rota: Array.from({ length: sites }, (_, i) => siteId(i)), firstPlace, since: { block: 0, timestamp: 0 } }) as unknown as RoundView
const passed = (view: RoundView, thirds: number): boolean => limitPassed(rules, view, { number: 3 * thirds, timestamp: 10 * thirds })

describe('limitPassed', () => {
  it('is three thirds where few may publish, and in other phases', () => {
    for (const view of [round(3, 0), round(9, 7), round(9, 0, 'Attesting')]) assert.deepEqual([passed(view, 2), passed(view, 3)], [false, true])
  })

  it('gives each of many places its third', () => {
    assert.deepEqual(
      [3, 8, 9].map((thirds) => passed(round(9, 0), thirds)),
      [false, false, true],
    )
    assert.deepEqual(
      [5, 6].map((thirds) => passed(round(9, 3), thirds)),
      [false, true],
    )
  })
})
