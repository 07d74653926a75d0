import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chainClock } from '#round/chain-clock.ts'
import { silenceMs } from '#round/clock.ts'

// given a node that looks at its chain every 20 ms, as if gossip woke it all the time, and calls it when it is silent
// ├── a chain that makes a block only when it is called is called about once a second, never more often, however long that goes on
// ├── one whose blocks come regularly, and take what was called with them, is called once at most: then its beat is known
// ├── one that makes a block every second, and others at once, is not called
// └── a regular chain one of whose blocks comes late is called then, and once more: its beat is learnt again

const LOOK_MS = 20
const MINUTE_MS = 60_000
/** Until a call that is mined at once is answered. */
const MINED_MS = 20

interface Beat {
  /** When blocks come by themselves. */
  readonly blocksMs: readonly number[]
  /** Calls make a block of their own. */
  readonly atOnce: boolean
}

const every = (ms: number, untilMs = MINUTE_MS): number[] => Array.from({ length: Math.floor(untilMs / ms) }, (_, i) => ms * (i + 1))

/** @returns when the chain was called */
async function callsOf({ blocksMs, atOnce }: Beat): Promise<readonly number[]> {
  let now = 0
  const called: number[] = []
  const number = () => blocksMs.filter((ms) => ms <= now).length + (atOnce ? called.length : 0)
  const chain = { head: async () => ({ number: number(), timestamp: 0, hash: '' as never }), events: async () => [] }
  const clock = chainClock(chain, { nowMs: () => now })
  while (now < MINUTE_MS) {
    await clock.head()
    if (clock.silentMs() >= silenceMs(clock.gapMs())) {
      called.push(now)
      now = atOnce ? now + MINED_MS : (blocksMs.find((ms) => ms > now) ?? MINUTE_MS)
    } else now += LOOK_MS
  }
  return called
}

describe('a node on a chain', () => {
  it('that makes a block only when it is called calls it about once a second', async () => {
    const called = await callsOf({ blocksMs: [], atOnce: true })
    assert.ok(called.every((ms, i) => ms - (called[i - 1] ?? 0) >= 1_000))
    assert.ok(called.length > 40 && called.length <= 60, `${called.length} calls in a minute`)
  })

  it('with regular blocks calls it once at most', async () => {
    for (const ms of [250, 1_000, 2_000, 5_000, 8_000])
      assert.equal((await callsOf({ blocksMs: every(ms), atOnce: false })).length, ms > 1_000 ? 1 : 0, `a block every ${ms} ms`)
  })

  it('with a block every second and others at once does not call it', async () => {
    const others = every(1_000).flatMap((ms) => (ms % 7_000 === 0 ? [ms + 130, ms + 150, ms + 640] : []))
    assert.deepEqual(await callsOf({ blocksMs: [...every(1_000), ...others].sort((a, b) => a - b), atOnce: true }), [])
  })

  it('with regular blocks, one of which comes late, calls it then, and once more', async () => {
    const missed = every(2_000).filter((ms) => ms !== 20_000)
    assert.equal((await callsOf({ blocksMs: missed, atOnce: false })).length, 3)
  })
})
