import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attemptNo, type Digest, type RunId, roundNo, runId, siteId } from '#base/ids.ts'
import { createOffers } from '#round/offers.ts'
import type { AnnouncedKind } from '#wire/announce.ts'

// given a run in round 5
// ├── when a site announces an update, it is taken, and so is the same again
// ├── when it announces another in the same round, or under another attempt, it is not: nobody fills the others' disks
// ├── when it announces sums, one for each attempt is taken that is in this row of five or the next, and so after each pause of a masked round
// └── when a round is more than one away, or the run is over, nothing is taken

const rounds = new Map<RunId, number>([[runId(1), 5]])
const none = new Map<RunId, number>()
const cid = (n: number): Digest => `0x${n.toString(16).padStart(64, '0')}` as Digest
const announce = (object: number, round = 5, kind: AnnouncedKind = 'update', attempt = 0) => ({
  kind,
  run: runId(1),
  round: roundNo(round),
  attempt: attemptNo(attempt),
  root: cid(0),
  cid: cid(object),
  inline: null,
})

describe('offers', () => {
  it('takes one update of a site in a round', () => {
    const offers = createOffers(rounds, none)
    assert.ok(offers.take(siteId(1), announce(1)))
    assert.ok(offers.take(siteId(1), announce(1)))
    assert.ok(!offers.take(siteId(1), announce(2)))
    assert.ok(!offers.take(siteId(1), announce(3, 5, 'update', 1)))
    assert.ok(offers.take(siteId(2), announce(2)), 'of each site')
    assert.ok(offers.take(siteId(1), announce(4, 6)), 'and in each round')
  })

  it('takes a sum for each attempt that is near', () => {
    const attempts = new Map<RunId, number>()
    const offers = createOffers(rounds, attempts)
    const takes = (attempt: number, object = attempt, round = 5) => offers.take(siteId(1), announce(object, round, 'sum', attempt))
    for (let attempt = 0; attempt < 5; attempt++) assert.ok(takes(attempt))
    assert.ok(!takes(0, 9), 'another')
    assert.ok(!takes(5), 'nobody fills the others’ disks ahead')
    attempts.set(runId(1), 200)
    for (let attempt = 196; attempt < 205; attempt++) assert.ok(takes(attempt), `attempt ${attempt}`)
    assert.deepEqual([takes(195), takes(205), takes(200, 9)], [false, false, false])
    assert.deepEqual([takes(0, 7, 6), takes(4, 7, 6), takes(5, 7, 6)], [true, true, false], 'of the next round')
  })

  it('takes nothing of rounds far away or runs that are over', () => {
    const offers = createOffers(rounds, none)
    assert.ok(!offers.take(siteId(1), announce(1, 3)))
    assert.ok(!offers.take(siteId(1), announce(1, 7)))
    assert.ok(!offers.take(siteId(1), { ...announce(1), run: runId(2) }))
  })
})
