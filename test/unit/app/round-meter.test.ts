import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRoundMeter } from '#app/node/round-meter.ts'
import { roundNo, runId } from '#base/ids.ts'

describe('the round meter', () => {
  it('gives each round its own bytes and work, also when several ended between two looks', () => {
    const moved = { bytesIn: 0, bytesOut: 0, workMs: 100 }
    const meter = createRoundMeter()
    meter.connect(() => moved)
    const [run, one, two, three] = [runId(1), roundNo(1), roundNo(2), roundNo(3)]
    meter.see(run, one)
    Object.assign(moved, { bytesIn: 10, bytesOut: 1, workMs: 104 })
    meter.see(run, one)
    meter.see(run, two)
    Object.assign(moved, { bytesIn: 30, bytesOut: 5, workMs: 106.5 })
    assert.deepEqual(
      [meter.of(run, one), meter.of(run, two), meter.of(run, three)],
      [
        { bytesIn: 10, bytesOut: 1, workMs: 4 },
        { bytesIn: 20, bytesOut: 4, workMs: 2.5 },
        { bytesIn: 0, bytesOut: 0, workMs: 0 },
      ],
    )
  })
})
