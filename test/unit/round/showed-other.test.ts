import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Bitmap, type Digest, roundNo, runId } from '#base/ids.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { showedOther, shownOther } from '#round/masking/work.ts'

// given a site that showed its shares for a frozen set
// ├── it may show them again for that set
// ├── not for another set of the same model, in whatever round
// ├── nor for another set of the same round, after the chain went back and opened it on another model: its secrets are the same
// given a round that repeats refused ones
// └── its set is as near to theirs as it may be: the same where a site was left out for its shares

const [MODEL, OTHER] = [`0x${'aa'.repeat(32)}` as Digest, `0x${'bb'.repeat(32)}` as Digest]
const shown: readonly JournalEntry[] = [{ kind: 'released', run: runId(1), round: roundNo(4), base: MODEL, included: 0b0111n as Bitmap }]
const asked = (round: number, base: Digest, included: bigint, run = 1): boolean =>
  showedOther(shown, { run: runId(run), round: roundNo(round), base, included: included as Bitmap })

describe('shares that were shown', () => {
  it('are shown again for their set', () => {
    assert.equal(asked(4, MODEL, 0b0111n), false)
    assert.equal(asked(5, OTHER, 0b1111n), false)
    assert.equal(asked(4, MODEL, 0b1111n, 2), false)
  })

  it('are never shown for another set of their model or of their round', () => {
    assert.equal(asked(4, MODEL, 0b1111n), true)
    assert.equal(asked(5, MODEL, 0b1111n), true)
    assert.equal(asked(4, OTHER, 0b1111n), true)
  })
})

describe('a sum that repeats refused ones', () => {
  const set = (bits: bigint): Bitmap => bits as Bitmap
  const LAST = set(0b11111111n)

  it('is of the very set of the last where a site of that was left out for its shares', () => {
    const leftOut = { sites: [9], refusals: 1 }
    for (const now of [0b1111n, 0b1111111n, 0b111111111n]) assert.equal(shownOther({ refusals: 1, leftOut }, { shown: [LAST] }, set(now)), LAST)
    assert.equal(shownOther({ refusals: 1, leftOut }, { shown: [LAST] }, LAST), undefined)
    // Of the set before, whose sum was shown to all, it may be four less.
    assert.equal(shownOther({ refusals: 1, leftOut }, { shown: [set(LAST | 0xf00n), LAST] }, LAST), undefined)
    assert.equal(shownOther({ refusals: 1, leftOut }, { shown: [set(LAST | 0x700n), LAST] }, LAST), set(LAST | 0x700n))
  })

  it('differs from others by four sites at least, and in groups by none', () => {
    for (const leftOut of [undefined, { sites: [9], refusals: 0 }]) {
      assert.equal(shownOther({ refusals: 1, ...(leftOut && { leftOut }) }, { shown: [LAST] }, set(0b1111n)), undefined)
      assert.equal(shownOther({ refusals: 1, ...(leftOut && { leftOut }) }, { shown: [LAST] }, set(0b11111n)), LAST)
    }
    assert.equal(shownOther({ refusals: 1 }, { shown: [LAST] }, set(0b1111n), true), LAST)
  })
})
