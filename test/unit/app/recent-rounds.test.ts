import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recentRounds } from '#app/node/recent-rounds.ts'
import { type Digest, runId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'

/*
  reading on from what was read
  given a run of thirty rounds
  ├── the first look gives all of it, and the next ones what changed
  ├── once it was dealt with, its last eight rounds and those since are given; before that, all since
  └── a chain that went back is read again from the beginning
*/
const [RUN, OTHER] = [runId(1), runId(2)]
const opened = (run: number, round: number, tx = `${run}/${round}`): ChainEvent =>
  ({ kind: 'RoundOpened', run, round, block: 10 * round, index: 0, timestamp: round, tx: tx as Digest }) as unknown as ChainEvent

function chain() {
  const log = Array.from({ length: 30 }, (_, i) => opened(1, i + 1))
  const asked: number[] = []
  return {
    log,
    asked,
    async events(from: number, filter?: { run?: number; kinds?: readonly string[] }) {
      if (filter === undefined) asked.push(from)
      return log.filter((e) => e.block >= from && (filter?.kinds?.includes(e.kind) ?? true))
    },
  }
}
const rounds = (events: readonly ChainEvent[]) => events.map((e) => ('round' in e ? Number(e.round) : 0))

describe('reading on from what was read', () => {
  it('gives what changed', async () => {
    const on = chain()
    const recent = recentRounds(on)
    assert.deepEqual(await recent.changed(), new Set([RUN]))
    assert.equal((await recent.of(RUN)).length, 30)
    recent.settle(RUN)
    assert.deepEqual(await recent.changed(), new Set())
    on.log.push(opened(2, 31))
    assert.deepEqual(await recent.changed(), new Set([OTHER]))
    assert.deepEqual(rounds(await recent.of(OTHER)), [31])
    assert.ok(on.asked.at(-2) === 300 && on.asked.at(-1) === 310, 'nothing that was read is asked for again')
  })

  it('gives the last eight rounds and those since', async () => {
    const on = chain()
    const recent = recentRounds(on)
    await recent.changed()
    recent.settle(RUN)
    for (let round = 31; round <= 45; round++) on.log.push(opened(1, round))
    await recent.changed()
    assert.deepEqual(
      rounds(await recent.of(RUN)),
      Array.from({ length: 23 }, (_, i) => 23 + i),
      'not dealt with: none is left out',
    )
    recent.settle(RUN)
    assert.deepEqual(rounds(await recent.of(RUN)), [38, 39, 40, 41, 42, 43, 44, 45])
  })

  it('reads a chain that went back from the beginning', async () => {
    const on = chain()
    const recent = recentRounds(on)
    await recent.changed()
    recent.settle(RUN)
    on.log.splice(28, 2, opened(1, 29, 'another'))
    assert.deepEqual(await recent.changed(), new Set([RUN]))
    assert.equal((await recent.of(RUN)).length, 29)
    on.log.length = 0
    assert.deepEqual(await recent.changed(), new Set())
  })
})
