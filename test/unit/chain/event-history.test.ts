import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type EventFilter, EventHistory } from '#adapters/chain/event-history.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { type Digest, roundNo, runId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'

// given as many events as a run of months leaves, whose logs are on the disk
// ├── any question gets what a list of all would answer
// ├── the newest, and what belongs to no round, are answered without the disk
// ├── of the past only the stretches are read that can hold an answer
// └── when the disk has lost them, null
// given logs of many events each, as batches of withdrawals
// └── a log is not cut in two, and any question gets what a list of all would answer
// given events that no file holds
// └── all stay in memory

const EVENTS = 20_000
/** Bytes of a line. */
const LINE = 100

/** Three runs, one after the other; now and then something that belongs to no round. */
function log(perRound = 20): readonly ChainEvent[] {
  return Array.from({ length: EVENTS }, (_, i) => {
    const at = { run: runId(1 + Math.floor((3 * i) / EVENTS)), round: roundNo(1 + Math.floor(i / perRound)) }
    const opened = { leader: siteId(0), turn: 0, rota: [], awaited: bitmapOf([]), baseRoot: ZERO_DIGEST, baseCid: ZERO_DIGEST, epoch: 0 }
    const bodies: readonly ChainEventBody[] = [
      { kind: 'Contributed', ...at, site: siteId(i % 9), root: ZERO_DIGEST, cid: ZERO_DIGEST, cohortRoot: ZERO_DIGEST },
      { kind: 'Frozen', ...at, included: bitmapOf([siteId(1)]), accumulator: ZERO_DIGEST },
    ]
    const ofRound: ChainEventBody = i % perRound === 0 ? { kind: 'RoundOpened', ...at, ...opened } : (bodies[i % 2] as ChainEventBody)
    const body: ChainEventBody = i % 250 === 7 ? { kind: 'StudyApproved', study: studyId(1), site: siteId(i % 9) } : ofRound
    return { block: Math.floor(i / 4), index: i % 4, timestamp: i, tx: `0x${i}` as Digest, ...body }
  })
}

function historyOf(events: readonly ChainEvent[], isThere: () => boolean = () => true) {
  const reads: number[] = []
  const history = new EventHistory(LINE, (from, to) => {
    reads.push(to - from)
    return isThere() ? events.slice(from / LINE - 1, to / LINE - 1) : null
  })
  for (const [i, event] of events.entries()) history.push(event, (i + 2) * LINE)
  return { history, reads }
}

const answer = (events: readonly ChainEvent[], from: number, { run, kinds }: EventFilter): readonly ChainEvent[] =>
  events.filter((e) => e.block >= from && (kinds === undefined || kinds.includes(e.kind)) && (run === undefined || ('run' in e && e.run === run)))

const QUESTIONS: readonly EventFilter[] = [
  {},
  { run: 1 },
  { run: 3 },
  { kinds: ['StudyApproved'] },
  { kinds: ['Contributed', 'StudyApproved'] },
  { run: 2, kinds: ['Frozen'] },
  { kinds: ['RunOpened'] },
]

describe('event history', () => {
  it('answers as a list of all would', () => {
    const events = log()
    const { history } = historyOf(events)
    for (const from of [0, 1, 700, 2_499, 3_600, 4_990, 4_999, 5_000])
      for (const filter of QUESTIONS) assert.deepEqual(history.since(from, filter), answer(events, from, filter), `from ${from}, ${JSON.stringify(filter)}`)
  })

  it('answers without the disk what is asked all the time', () => {
    const { history, reads } = historyOf(log())
    history.since(EVENTS / 4 - 250)
    history.since(0, { kinds: ['StudyApproved', 'RunOpened'] })
    assert.deepEqual(reads, [])
    const large = historyOf(log(500))
    large.history.since(EVENTS / 4 - 16 * 125)
    assert.deepEqual(large.reads, [], 'the last sixteen rounds, however large')
  })

  it('reads only the stretches that can hold an answer', () => {
    const { history, reads } = historyOf(log())
    history.since(0, { run: 1 })
    const ofOne = reads.length
    assert.ok(ofOne <= 14, `${ofOne} stretches for a third of the events`)
    reads.length = 0
    history.since(0)
    assert.ok(reads.length >= 37, `${EVENTS} events, of which ${EVENTS - reads.length * 500} are in memory`)
    assert.ok(
      reads.every((bytes) => bytes === 500 * LINE),
      'five hundred at a time',
    )
  })

  it('says so when the disk has lost the past', () => {
    let there = true
    const { history } = historyOf(log(), () => there)
    there = false
    assert.equal(history.since(0), null)
    assert.equal(history.since(EVENTS / 4 - 100)?.length, 400)
    const events = log()
    assert.equal(historyOf(events, () => true).history.since(0)?.length, EVENTS)
  })

  it('keeps the events of one log together', () => {
    const events = log()
    // Logs of 1, 2, 3, … 700 events, and again from 1.
    const lines: ChainEvent[][] = []
    for (let at = 0, size = 1; at < events.length; at += size, size = (size % 700) + 37) lines.push(events.slice(at, at + size))
    const history = new EventHistory(LINE, (from, to) => lines.slice(from / LINE - 1, to / LINE - 1).flat())
    for (const [line, ofLog] of lines.entries()) for (const event of ofLog) history.push(event, (line + 2) * LINE)
    for (const from of [0, 700, 3_600, 4_999]) for (const filter of QUESTIONS) assert.deepEqual(history.since(from, filter), answer(events, from, filter))
  })

  it('keeps what no file holds', () => {
    const events = log()
    const history = new EventHistory(0, () => null)
    for (const [i, event] of events.entries()) history.push(event, i < 500 ? (i + 1) * LINE : null)
    assert.deepEqual(history.since(0), events)
  })
})
