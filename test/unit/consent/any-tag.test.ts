import assert from 'node:assert/strict'
import { it } from 'node:test'
import { anyOf, type TagInRound } from '#app/consent/consent-history.ts'
import { digest, roundNo, runId } from '#base/ids.ts'

// given a record that went by several tags, each with its rounds
// ├── it was in a cohort where one of them was; where one is unknown and none was in, it is unknown
// └── with one tag it is that one's; without any, there are no rounds

const root = digest(`0x${'ab'.repeat(32)}`)
const part = (round: number, cohort: TagInRound['cohort'], before = false): TagInRound => ({
  ...{ run: runId(1), round: roundNo(round), cohort, before, cohortRoot: root },
})

it('a record under several tags was in a cohort where one of them was', () => {
  const first = [part(1, 'in'), part(2, 'not in'), part(3, 'unknown'), part(4, 'not in')]
  const second = [part(1, 'not in'), part(2, 'in', true), part(3, 'not in'), part(4, 'not in')]
  for (const parts of [
    [first, second],
    [second, first],
  ])
    assert.deepEqual(
      anyOf(parts).map(({ round, cohort, before }) => [round, cohort, before]),
      [
        [1, 'in', false],
        [2, 'in', true],
        [3, 'unknown', false],
        [4, 'not in', false],
      ],
    )
  assert.deepEqual([anyOf([first]), anyOf([])], [first, []])
})
