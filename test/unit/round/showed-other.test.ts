import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Bitmap, type Digest, roundNo, runId } from '#base/ids.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { showedOther } from '#round/masking/work.ts'

// given a site that showed its shares for a frozen set
// ├── it may show them again for that set
// ├── not for another set of the same model, in whatever round
// └── nor for another set of the same round, after the chain went back and opened it on another model: its secrets are the same

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
