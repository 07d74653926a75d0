import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bitmapOf } from '#base/bitmap.ts'
import { type Bitmap, siteId } from '#base/ids.ts'
import type { ChainEvent, RunView, StudyRecord } from '#ports/chain.ts'
import type { Play, Round } from '#round/play.ts'
import { mayBeReady, pauseOf, readyAfterMs } from '#round/readiness.ts'

// given a masked round of six whose sum is published and cannot be unmasked
// ├── when it paused up to three times, a site is ready at once; then after 1, 2, 4 … minutes, an hour, and eight hours at last
// ├── when a site waits, it counts by its own clock, or by the chain's where it started again
// ├── when the log does not show the pause yet, it says nothing
// └── when it keyed and lost its secrets, it is ready once as many others are as can unmask the sum
// given another pause, or none: nothing is waited for

const MINUTE_MS = 60_000
const PAUSED_AT = 5_000
const sites = (...ids: number[]) => bitmapOf(ids.map(siteId))
const all = sites(0, 1, 2, 3, 4, 5)
const record = { rules: { mode: 'masked' }, approved: all } as unknown as StudyRecord
const round = {} as Round

const changed = (state: string, block: number, reason = 0) =>
  ({ kind: 'RunStateChanged', run: 1, state, site: null, reason, block, timestamp: PAUSED_AT + block }) as unknown as ChainEvent
/** So many pauses, the last of which goes on. */
const pauses = (times: number): ChainEvent[] =>
  Array.from({ length: 2 * times - 1 }, (_, i) => changed(i % 2 === 0 ? 'Paused' : 'Active', 10 + i, i % 2 === 0 ? 2 : 0))

interface Given {
  readonly log?: readonly ChainEvent[]
  readonly nowMs?: () => number
  readonly isLost?: boolean
  /** Who has shares of the others' secrets. */
  readonly holders?: Bitmap
}

/** What of a play the pause follows from: site 0's. */
const playOf = ({ log = pauses(1), nowMs = () => 0, isLost = false, holders = all }: Given): Play =>
  ({
    site: { id: siteId(0), chain: { events: async () => log }, host: { clock: { nowMs } } },
    masked: { round: 1, openedAtBlock: 3, isShown: true, keys: isLost ? null : {}, graph: { sites: all, holders: () => holders } },
    paused: null,
  }) as unknown as Play

const viewOf = (ready: RunView['ready'] = sites(), change: object = {}): RunView =>
  ({
    run: 1,
    state: 'Paused',
    ready,
    round: { round: 1, openedAtBlock: 3, phase: 'Publishing', publications: 5, keyed: all, threshold: 5, ...change },
  }) as unknown as RunView

const head = { number: 10, timestamp: PAUSED_AT }

describe('readiness', () => {
  it('is at once three times, and later each time from then on', () => {
    const minutes = Array.from({ length: 47 }, (_, i) => readyAfterMs(i + 1) / MINUTE_MS)
    assert.deepEqual(minutes.slice(0, 11), [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60])
    assert.deepEqual([minutes[23], minutes[24], minutes[46]], [60, 480, 480])
    const days = minutes.reduce((sum, each) => sum + each, 0) / (24 * 60)
    assert.ok(days > 8, `all of a round's publications last for ${days} days`)
  })

  it('is counted from when the site saw the pause', async () => {
    let now = 7_000
    const play = playOf({ log: pauses(5), nowMs: () => now })
    const may = async () => mayBeReady(await pauseOf(play, viewOf(), record, head, round))
    assert.equal(await may(), false)
    now += 2 * MINUTE_MS - 1
    assert.equal(await may(), false)
    now += 1
    assert.equal(await may(), true)
  })

  it('is counted from the pause by the chain, where that is longer', async () => {
    const may = async (seconds: number) =>
      mayBeReady(await pauseOf(playOf({ log: pauses(4) }), viewOf(), record, { number: 99, timestamp: PAUSED_AT + 16 + seconds }, round))
    assert.deepEqual([await may(59), await may(60)], [false, true])
  })

  it('waits for the log', async () => {
    for (const log of [[], [changed('Paused', 10, 2), changed('Active', 11)]])
      assert.equal(mayBeReady(await pauseOf(playOf({ log }), viewOf(), record, head, round)), false)
  })

  it('is said by who cannot show shares where enough others are ready', async () => {
    const may = async (ready: RunView['ready'], given: Round | null = round, isLost = true, change = {}) =>
      mayBeReady(await pauseOf(playOf({ isLost }), viewOf(ready, change), record, head, given))
    assert.deepEqual([await may(sites(1, 2, 3, 4)), await may(sites(1, 2, 3, 4, 5))], [false, true])
    assert.equal(await may(sites(), round, true, { keyed: sites(1, 2, 3, 4, 5) }), true, 'it is not counted')
    assert.equal(await may(sites(), round, false), true, 'it has them')
    assert.equal(await may(sites(), null, false), false, 'without the key of the round it shows nothing')
    const pause = await pauseOf(playOf({ holders: sites(1, 2, 3, 4, 5) }), viewOf(sites()), record, head, round)
    assert.equal(mayBeReady(pause), false, 'it keyed, and holds no shares')
  })

  it('is at once after any other pause', async () => {
    const play = playOf({ log: pauses(9), isLost: true })
    assert.equal(await pauseOf(play, viewOf(sites(), { publications: 0 }), record, head, round), null)
    assert.equal(await pauseOf(play, { ...viewOf(), state: 'Active' }, record, head, round), null)
    assert.equal(await pauseOf(play, viewOf(), { ...record, rules: { mode: 'open' } } as StudyRecord, head, round), null)
    assert.equal(mayBeReady(null), true)
  })
})
