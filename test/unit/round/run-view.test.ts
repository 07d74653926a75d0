/**
 * A run as a node looks at it
 * given no event since, and a row that calls nobody, what was read before stands
 * given an event, be it only of a block that took another's place, it is read again
 * given a row that may have called the chain, it is read again
 * given a view that is old, it is read again: an endpoint may have lost an event
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runId } from '#base/ids.ts'
import type { ChainEvent, RunView } from '#ports/chain.ts'
import { watchRun } from '#round/run-view.ts'

const eventAt = (block: number, tx = `0x${block}`): ChainEvent => ({ kind: 'SiteReady', block, index: 0, tx, timestamp: 1 }) as unknown as ChainEvent

/** A chain whose round opened in block 5. */
function watched() {
  const chain = { events: [eventAt(5)], reads: 0, nowMs: 0 }
  const run = async (): Promise<RunView> => ({ round: { openedAtBlock: 5 }, ready: BigInt(++chain.reads) }) as unknown as RunView
  const events = async (from: number): Promise<readonly ChainEvent[]> => chain.events.filter(({ block }) => block >= from)
  const read = watchRun({ run, events }, runId(1), { nowMs: () => chain.nowMs })
  const begin = async (): Promise<number> => {
    // The first look has nothing to compare the newest event with.
    await read('wait')
    return Number((await read('wait')).ready)
  }
  return { chain, read, begin }
}

describe('a run as a node looks at it', () => {
  it('stands while no event came, after rows that call nobody', async () => {
    const { chain, read, begin } = watched()
    const reads = await begin()
    for (const row of ['wait', 'deal', 'prepare', 'release', 'tell-slices'] as const) await read(row)
    assert.equal(chain.reads, reads)
  })

  it('is read again once an event came', async () => {
    const { chain, read, begin } = watched()
    const reads = await begin()
    chain.events.push(eventAt(6))
    assert.equal(Number((await read('wait')).ready), reads + 1)
    chain.events.splice(1, 1, eventAt(6, '0xother'))
    assert.equal(Number((await read('wait')).ready), reads + 2, 'the chain went back')
    chain.events.pop()
    assert.equal(Number((await read('wait')).ready), reads + 3, 'and lost a block')
  })

  it('is read again after a row that may have called the chain, and before any', async () => {
    const { read, begin } = watched()
    const reads = await begin()
    assert.equal(Number((await read('key')).ready), reads + 1)
    assert.equal(Number((await read(undefined)).ready), reads + 2)
  })

  it('is read again once it is old', async () => {
    const { chain, read, begin } = watched()
    const reads = await begin()
    chain.nowMs = 199
    assert.equal(Number((await read('wait')).ready), reads)
    chain.nowMs = 200
    assert.equal(Number((await read('wait')).ready), reads + 1)
  })
})
