import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimJournal } from '#adapters/sim/journal.ts'
import { attemptNo, type Digest, roundNo, runId, siteId, ZERO_DIGEST } from '#base/ids.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { settleOldJournal } from '#round/old-journal.ts'

/**
 * A journal that is older than the chain
 * given a run in its third round, in which this site has contributed to rounds 1 and 2
 * ├── a journal that knows all that is left as it is, and so is an empty one of a site that never took part
 * ├── one that was lost, or is an old copy, gets what the chain shows, and nothing is sent to the present round
 * ├── restored from a backup, the same, even when the chain shows nothing of what was sent
 * ├── settled twice, it is as settled once
 * └── after a hundred rounds it knows the last contribution and the last 64 rounds
 */
const RUN = runId(1)
const ME = siteId(2)
const digestOf = (n: number): Digest => `0x${n.toString(16).padStart(64, '0')}` as Digest
const at = (round: number) => ({ run: RUN, round: roundNo(round) })

const opened = (round: number): ChainEventBody => ({
  ...{ kind: 'RoundOpened', ...at(round), leader: siteId(0), turn: 0, rota: [siteId(0), siteId(1), ME], awaited: 7n as never },
  ...{ baseRoot: digestOf(round), baseCid: digestOf(round), epoch: 0 },
})
const sent = (round: number, site = ME): ChainEventBody => ({
  ...{ kind: 'Contributed', ...at(round), site, root: digestOf(100 + round), cid: digestOf(200 + round), cohortRoot: digestOf(9) },
})
const attested = (round: number): ChainEventBody => ({
  ...{ kind: 'Attested', ...at(round), attempt: attemptNo(0), site: ME, modelRoot: ZERO_DIGEST, modelCid: ZERO_DIGEST, status: 'continue', own: ZERO_DIGEST },
})
const contributed = (round: number): JournalEntry => ({
  ...{ kind: 'contributed', ...at(round), base: digestOf(round), root: digestOf(100 + round), cid: digestOf(200 + round), cohortRoot: digestOf(9) },
})
const abstained = (round: number): JournalEntry => ({ kind: 'abstained', ...at(round), reason: 'maintenance' })
const attestedEntry = (round: number): JournalEntry => ({
  ...{ kind: 'attested', ...at(round), attempt: attemptNo(0), status: 'continue', root: ZERO_DIGEST, cid: ZERO_DIGEST },
})

async function settled(events: readonly ChainEventBody[], entries: readonly JournalEntry[], restored = false): Promise<readonly JournalEntry[]> {
  const disk = [...entries]
  const log: ChainEvent[] = events.map((body, i) => ({ block: i, index: 0, timestamp: i, tx: ZERO_DIGEST, ...body }))
  const site = {
    id: ME,
    chain: { events: async () => log } as never,
    journal: new SimJournal(disk),
    host: { log: { warn() {} } } as never,
    restored: { is: () => restored, over: async () => undefined },
  }
  await settleOldJournal(site, RUN)
  const once = [...disk]
  await settleOldJournal(site, RUN)
  assert.deepEqual(disk, once)
  return disk
}

describe('a journal that is older than the chain', () => {
  const log = [opened(1), sent(1), attested(1), opened(2), sent(2), opened(3), sent(3, siteId(0))]
  const whole = [contributed(1), attestedEntry(1), contributed(2)]

  it('is none that knows all that the chain shows', async () => {
    assert.deepEqual(await settled(log, whole), whole)
    assert.deepEqual(await settled([opened(1), sent(1, siteId(1)), opened(2)], []), [])
    assert.deepEqual(await settled([], [], true), [])
  })

  it('gets what the chain shows, and sends nothing to the present round', async () => {
    assert.deepEqual(await settled(log, []), [contributed(1), contributed(2), abstained(3)])
    assert.deepEqual(await settled(log, whole.slice(0, 2)), [...whole.slice(0, 2), contributed(2), abstained(3)])
    assert.deepEqual(await settled(log, [contributed(1), contributed(2)]), [contributed(1), contributed(2), abstained(3)])
    assert.deepEqual(await settled([...log, sent(3)], []), [contributed(1), contributed(2), contributed(3)])
  })

  it('sends nothing to the present round when it was restored, whatever the chain shows', async () => {
    assert.deepEqual(await settled(log, whole, true), [...whole, abstained(3)])
    assert.deepEqual(await settled([opened(1)], [], true), [abstained(1)])
  })

  it('knows the last contribution, however long ago', async () => {
    const rounds = Array.from({ length: 100 }, (_, i) => i + 1)
    const entries = await settled([...rounds.flatMap((round) => (round === 5 ? [opened(round), sent(round)] : [opened(round)]))], [], true)
    assert.deepEqual(entries[0], contributed(5))
    assert.deepEqual(
      entries.slice(1).map(({ round }) => Number(round)),
      rounds.slice(36),
    )
  })
})
