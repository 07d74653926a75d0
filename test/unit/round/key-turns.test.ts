import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { placeToDraw } from '#adapters/sim/chain/key-turns.ts'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { bitmapOf, sitesOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import { type Bitmap, siteId, studyId } from '#base/ids.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { rankOf } from '#round/key-turns.ts'
import { generatedStudy } from '../../support/studies.ts'

/*
  keys that their drawer keeps back
  ├── are reported after a third of the time that rounds have for contributions, and the next member draws
  ├── are not followed by another of the same drawer before all others had their turn
  └── have their places as the contract gives them, which refuses whoever comes before its turn
  and in ordinary times whoever has the key before draws the next
*/
const networks: SimulatedNetwork[] = []

/** Five hospitals with half a minute to contribute; the first, who draws first, gives nobody anything. */
async function begun(): Promise<{ readonly world: SimWorld; readonly drawers: () => readonly (readonly [number, number])[] }> {
  const study = generatedStudy({ sites: 5, rows: 40 })
  const startMs: number[] = []
  const network = await simulateNetwork({
    ...{ seed: 1, sites: study.sites, protocol: study.protocol, rules: await rulesOf(study.protocol) },
    faults: { ...NO_FAULTS, lies: [{ site: 0 as never, lie: 'withheld-vector' }] },
    onWorld: (world) => startMs.push(world.time.nowMs),
  })
  networks.push(network)
  const { world } = network
  const drawers = () =>
    world.chain.ledger
      .eventsFrom(0)
      .flatMap((e) => (e.kind === 'EpochPublished' ? [[e.site, e.timestamp - Math.floor((startMs[0] ?? 0) / 1000)] as const] : []))
  return { world, drawers }
}

describe('keys that their drawer keeps back', { timeout: 60_000 }, () => {
  afterEach(() => {
    for (const network of networks.splice(0)) network.stop()
  })

  it('are reported, and another member draws', async () => {
    const { world, drawers } = await begun()
    await world.within(world.time.sleep(30_000), 60_000)
    const [first, second] = drawers()
    assert.equal(first?.[0], 0)
    assert.equal(second?.[0], 1)
    assert.ok((second?.[1] ?? 0) >= 10 && (second?.[1] ?? 0) < 30, `after ${second?.[1]} s`)
    assert.equal(world.chain.study(studyId(1)).epoch.reported, false, 'the second is good')
  })

  it('are drawn in turn: whoever drew longest ago is first, the last drawer last', () => {
    for (const members of [
      [0, 1, 2, 3, 4],
      [2, 3, 7],
      [1, 4],
    ]) {
      const approved = bitmapOf(members.map(siteId))
      const record = { epoch: { epoch: 3, members: approved, reported: true }, approved, publisher: siteId(members[1] as number) } as StudyRecord
      const drawers = [siteId(members[1] as number)]
      for (let draw = 0; draw < 3 * members.length; draw++) {
        const ranks = members.map((me) => rankOf(record, siteId(me), drawers))
        assert.deepEqual([...ranks].sort(), [...members.keys()], 'one after the other')
        assert.equal(ranks[members.indexOf(drawers.at(-1) as number)], members.length - 1)
        drawers.push(siteId(members[ranks.indexOf(0)] as number))
        if (drawers.length > members.length) assert.equal(drawers.at(-1), drawers.at(-1 - members.length), 'each once in a turn')
      }
    }
  })

  it('are drawn by whoever has the key before, and by newcomers once that was reported', () => {
    const approved = bitmapOf([0, 1, 2, 3].map(siteId))
    const record = (reported: boolean) => ({ epoch: { epoch: 0, members: bitmapOf([siteId(0)]), reported }, approved, publisher: siteId(0) }) as StudyRecord
    assert.deepEqual(
      [0, 1, 2, 3].map((me) => rankOf(record(false), siteId(me), [siteId(0)])),
      [0, 1, 2, 3],
    )
    assert.deepEqual(
      [0, 1, 2, 3].map((me) => rankOf(record(true), siteId(me), [siteId(0)])),
      [3, 0, 1, 2],
    )
  })

  it('have their places as the contract gives them', () => {
    const random = new SimRandom('key turns')
    for (let n = 0; n < 400; n++) {
      const [all, approved, before] = [0, 1, 2].map(() => bitmapOf(Array.from({ length: 12 }, (_, i) => siteId(3 * i)).filter(() => random.chance(0.7)))) as [
        Bitmap,
        Bitmap,
        Bitmap,
      ]
      const publisher = siteId(3 * random.int(0, 11))
      const reported = random.chance(0.5)
      const drawers = Array.from({ length: random.int(1, 20) }, () => siteId(3 * random.int(0, 11)))
      const record = { epoch: { epoch: 3, members: (before | 1n) as Bitmap, reported }, approved, publisher } as StudyRecord
      const newcomers = (reported ? 0n : approved & ~record.epoch.members) as Bitmap
      for (const site of sitesOf((all & approved) as Bitmap))
        assert.equal(rankOf(record, site, drawers), placeToDraw({ members: approved, newcomers, publisher, drawers }, site))
    }
  })

  it('are refused of whoever draws before its turn', async () => {
    const world = SimWorld.create({ seed: 1, sites: 4, faults: NO_FAULTS })
    const protocol = generatedStudy({ sites: 4, rows: 40 }).protocol
    const study = await world.publishStudy(digestOf('protocol'), digestOf('cid'), await rulesOf(protocol))
    const node = (site: number) => world.node(world.site(site))
    const draw = (site: number, epoch: number) => node(site).publishEpoch(study, epoch, digestOf('key', site), digestOf('bundle', site))
    await draw(0, 0)
    await node(3).reportEpoch(study, 0)
    await assert.rejects(draw(0, 1), (error) => isRotaError(error, 'ROTA-5317') && error.reaction === 'retry')
    await draw(1, 1)
    await node(3).reportEpoch(study, 1)
    world.chain.advance(6, 1)
    await draw(1, 2)
  })
})
