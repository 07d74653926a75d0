import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Bitmap, digest, type RunId, roundNo, runId, siteId } from '#base/ids.ts'
import { createWords } from '#round/words.ts'
import type { SliceWord } from '#wire/slice-word.ts'

// given what custodians say of their slices
// ├── it is heard by run, round, frozen set and slice
// ├── a repetition changes nothing
// ├── who says two things of one slice and set is not listened to
// ├── rounds more than one away are not taken, and are forgotten
// └── nobody can fill the memory: a handful of words a slice

const hash = (byte: string) => digest(`0x${byte.repeat(32)}`)
const SET = 0b111n as Bitmap
const word = (change: Partial<SliceWord> = {}): SliceWord => ({
  kind: 'slice',
  run: runId(1),
  round: roundNo(5),
  slice: 0,
  included: SET,
  units: [hash('11')],
  pieces: [hash('22')],
  ...change,
})
const at = () => {
  const rounds = new Map<RunId, number>([[runId(1), 5]])
  return { rounds, words: createWords(rounds) }
}

describe('words of custodians', () => {
  it('are heard by set and slice', () => {
    const { words } = at()
    words.hear(siteId(1), word())
    words.hear(siteId(1), word())
    words.hear(siteId(2), word({ slice: 1 }))
    words.hear(siteId(3), word({ included: 0b11n as Bitmap }))
    assert.deepEqual([...words.of(runId(1), roundNo(5), SET, 0).keys()], [siteId(1)])
    assert.deepEqual([...words.of(runId(1), roundNo(5), SET, 1).keys()], [siteId(2)])
    assert.equal(words.of(runId(2), roundNo(5), SET, 0).size, 0)
  })

  it('of one that contradicts itself do not count', () => {
    const { words } = at()
    words.hear(siteId(1), word())
    words.hear(siteId(1), word({ units: [hash('33')] }))
    assert.equal(words.of(runId(1), roundNo(5), SET, 0).size, 0)
  })

  it('of rounds far away are not taken', () => {
    const { rounds, words } = at()
    assert.deepEqual(
      [3, 4, 5, 6, 7].map((round) => words.take(siteId(1), word({ round: roundNo(round) }))),
      [false, true, true, true, false],
    )
    words.hear(siteId(1), word())
    rounds.set(runId(1), 7)
    words.hear(siteId(1), word({ round: roundNo(7) }))
    assert.equal(words.of(runId(1), roundNo(5), SET, 0).size, 0)
    assert.equal(words.of(runId(1), roundNo(7), SET, 0).size, 1)
  })

  it('are a handful a slice', () => {
    const { words } = at()
    for (let set = 1n; set <= 4n; set++) {
      const said = word({ included: set as Bitmap })
      assert.ok(words.take(siteId(1), said))
      words.hear(siteId(1), said)
    }
    assert.ok(!words.take(siteId(1), word({ included: 5n as Bitmap })))
    assert.ok(words.take(siteId(1), word({ included: 1n as Bitmap })), 'the same again may pass on to others')
  })
})
