import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimClock, SimLog } from '#adapters/sim/host.ts'
import { untroubledLife } from '#adapters/sim/life.ts'
import { SimTime } from '#adapters/sim/time.ts'
import { medianOffset, WRONG_CLOCK_MS, watchClock } from '#app/node/clock-watch.ts'
import { RotaError } from '#base/errors.ts'
import { siteId } from '#base/ids.ts'

const peersWith = (offsets: readonly (number | null)[]) => ({
  connected: () => offsets.map((_, i) => siteId(i)),
  peers: {
    hello: async (site: number) => {
      const offset = offsets[site]
      if (offset === null || offset === undefined) throw new RotaError('ROTA-4005', { site })
      return { rttMs: 1, clockOffsetMs: offset, softwareVersion: '', arithmeticVersion: '' }
    },
  },
})
const signal = new AbortController().signal

describe('the clock watch', () => {
  it('takes the median of the peers that answer', async () => {
    assert.equal(await medianOffset(peersWith([5, 1_000_000, 7]), signal), 7)
    assert.equal(await medianOffset(peersWith([4, null, 6]), signal), 5)
    assert.equal(await medianOffset(peersWith([null]), signal), null)
  })

  it('alarms at ten minutes, and not when one peer alone is off', async () => {
    for (const [offsets, expected] of [
      [[WRONG_CLOCK_MS, WRONG_CLOCK_MS, 0], 'ROTA-1206'],
      [[-WRONG_CLOCK_MS - 1, -WRONG_CLOCK_MS], 'ROTA-1206'],
      [[WRONG_CLOCK_MS, 0, 10], null],
    ] as const) {
      const time = new SimTime(0)
      const stop = new AbortController()
      const clock = new SimClock(time, untroubledLife(siteId(0), time))
      const told = await new Promise<RotaError | null>(
        (resolve) => void watchClock({ ...peersWith(offsets), clock, log: new SimLog(clock, { debug: false }) }, resolve, stop.signal),
      )
      stop.abort()
      assert.equal(told?.code ?? null, expected)
    }
  })
})
