import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { steadyClock } from '#round/steady-clock.ts'

describe('a steady clock', () => {
  it('goes on from where it was when the clock is set back, and follows it otherwise', () => {
    let wall = 1_000_000
    const clock = steadyClock({ nowMs: () => wall, sleep: async () => undefined })
    const seen = [0, 500, -3_600_000, 250, 3_600_000, -10, 10].map((step) => {
      wall += step
      return clock.nowMs() - 1_000_000
    })
    assert.deepEqual(seen, [0, 500, 500, 750, 3_600_750, 3_600_750, 3_600_760])
  })
})
