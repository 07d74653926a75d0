import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drawFaults } from '#adapters/sim/draw-faults.ts'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { digestOf, sha256 } from '#adapters/sim/hash.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import { roundNo, runId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'

/*
  a simulated world
  ├── the same seed plays the same run, another seed another one
  ├── a crash strikes at its moment: before it nothing has happened, after it the work is done and nobody hears of it
  ├── the journal outlives the crash; a site that is down serves and hears nothing
  ├── a partition cuts gossip and store, and heals
  ├── lost, late and doubled messages follow the plan
  ├── a liar publishes a sum that is not the one it was given, under its right root
  ├── an epoch's key opens for those to whom it was wrapped, with the right context
  └── faults drawn from a seed leave more than half of the sites alive and honest
*/
const signal = new AbortController().signal
const model = { root: digestOf('model'), cid: digestOf('cid') }
const limit = { seconds: 30, blocks: 20 }
const rules = {
  minSites: 2,
  quorum: 2,
  maxRounds: 9,
  wordBits: 64,
  slices: 1,
  mode: 'open',
  exact: false,
  limits: Array.from({ length: 5 }, () => limit),
  arithmeticVersion: digestOf('golden'),
} as const

async function worldWithRun(faults: Partial<FaultPlan> = {}, seed: number | string = 1): Promise<SimWorld> {
  const world = SimWorld.create({ seed, sites: 3, faults: { ...NO_FAULTS, ...faults } })
  const study = await world.publishStudy(digestOf('protocol'), digestOf('protocol cid'), rules)
  await world.node(world.site(0)).publishEpoch(study, 0, digestOf('key'), digestOf('bundle'))
  await world.node(world.site(0)).openRun(study, model)
  return world
}

const contribute = (ports: SimPorts) =>
  ports.chain.contribute(runId(1), roundNo(1), digestOf('root', ports.id), digestOf('cid', ports.id), digestOf('cohort', ports.id))

async function eventsOf(seed: number): Promise<unknown> {
  const world = await worldWithRun({}, seed)
  await Promise.all(world.sites.map((site) => contribute(world.start(site))))
  return world.node(world.site(0)).events(0)
}

describe('a simulated world', () => {
  it('plays the same run from the same seed', async () => {
    assert.deepEqual(await eventsOf(7), await eventsOf(7))
    assert.notDeepEqual(await eventsOf(7), await eventsOf(9))
  })

  for (const when of ['before', 'after'] as const)
    it(`strikes ${when} the moment that the plan names`, async () => {
      const world = await worldWithRun({ crashes: [{ site: siteId(1), point: 'chain.contribute', when, nth: 1, backAfterMs: 500 }] })
      const lives: number[] = []
      let returned = false
      world.play(async (ports) => {
        if (ports.id !== 1) return
        lives.push(world.time.nowMs)
        await ports.journal.append({ kind: 'frozen', run: runId(1), round: roundNo(1), included: bitmapOf([]) })
        await contribute(ports).catch((error) => assert.ok(isRotaError(error, 'ROTA-5104')))
        returned ||= lives.length === 1
      })
      await world.time.sleep(200)
      const done = world.chain.run(runId(1)).round.contributed !== 0n
      assert.deepEqual([done, returned, world.site(1).alive], [when === 'after', false, false])
      await world.time.sleep(1_000)
      assert.equal(lives.length, 2)
      assert.equal(world.site(1).journal.length, 2)
      assert.notEqual(world.chain.run(runId(1)).round.contributed, 0n)
      world.stop()
    })

  it('hears and serves nothing while a site is down or cut off', async () => {
    const world = SimWorld.create({ seed: 1, sites: 3 })
    const [a, b, c] = world.sites.map((site) => world.start(site)) as [SimPorts, SimPorts, SimPorts]
    const heard: string[] = []
    for (const ports of [a, b, c])
      await ports.gossip.start(
        () => 'accept',
        (message) => heard.push(`${ports.id} ${String.fromCharCode(...message)}`),
      )
    const say = async (ports: SimPorts, letter: string) => {
      await ports.gossip.publish(Uint8Array.of(letter.charCodeAt(0)))
      await world.time.sleep(1_000)
    }
    const cid = await a.store.putPlain(Uint8Array.of(1, 2, 3), signal)
    world.network.partition(bitmapOf([siteId(0)]))
    await say(b, 'x')
    await assert.rejects(b.store.getPlain(cid, signal), (error) => isRotaError(error, 'ROTA-4010'))
    world.network.partition(null)
    world.crash(world.site(2))
    await say(b, 'y')
    assert.deepEqual(heard, ['2 x', '0 y'])
    assert.equal((await b.store.getPlain(cid, signal)).length, 3)
    assert.equal(b.store.traffic.bytesIn, 3)
    world.stop()
  })

  it('loses, delays and doubles messages as the plan says', async () => {
    for (const [faults, expected] of [
      [{ loss: 1, duplicate: 0, delay: 0, slowMs: 0 }, [0, 0]],
      [{ loss: 0, duplicate: 1, delay: 0, slowMs: 0 }, [2, 2]],
      [{ loss: 0, duplicate: 0, delay: 1, slowMs: 5_000 }, [0, 1]],
    ] as const) {
      const world = SimWorld.create({ seed: 1, sites: 2, faults: { ...NO_FAULTS, gossip: faults } })
      const [a, b] = world.sites.map((site) => world.start(site)) as [SimPorts, SimPorts]
      let heard = 0
      await a.gossip.start(
        () => 'accept',
        () => {},
      )
      await b.gossip.start(
        () => 'accept',
        () => heard++,
      )
      await a.gossip.publish(Uint8Array.of(1))
      await world.time.sleep(1_000)
      const soon = heard
      await world.time.sleep(10_000)
      assert.deepEqual([soon, heard], expected)
      world.stop()
    }
  })

  it('lets a liar publish another sum under its right root', async () => {
    const world = await worldWithRun({ liars: [siteId(0)] })
    const ports = world.sites.map((site) => world.start(site))
    for (const site of ports) await contribute(site)
    for (const site of ports.slice(0, 2)) await site.chain.witness(runId(1), roundNo(1), 0, bitmapOf([0, 1, 2].map(siteId)))
    const sum = new Uint8Array(200).fill(5)
    const key = new Uint8Array(32)
    const { root } = outlineOf(sum, sha256)
    const { store } = ports[0] as SimPorts
    const { cid } = await store.join([await store.putSlice(sum, root, 'sum', key, signal)], outlineOf(sum, sha256), 'sum', key, signal)
    await (ports[0] as SimPorts).chain.publish(runId(1), roundNo(1), world.chain.run(runId(1)).round.attempt, root, cid)
    const { publication } = world.chain.run(runId(1)).round
    assert.ok(publication !== null && publication.sumRoot !== root)
    const told = await (ports[1] as SimPorts).store.get({ cid: publication.sumCid, kind: 'sum', root: publication.sumRoot }, key, signal)
    assert.deepEqual(
      [...told].filter((byte) => byte !== 5),
      [4],
    )
    world.stop()
  })

  it('opens an epoch key for whom it was wrapped', () => {
    const world = SimWorld.create({ seed: 1, sites: 3 })
    const [a, b, c] = world.sites.map((site) => site.vault) as [SimPorts['vault'], SimPorts['vault'], SimPorts['vault']]
    const key = new SimRandom('key').bytes(32)
    const context = Uint8Array.of(1)
    const wraps = a.wrap(key, [a.encryptionKey, b.encryptionKey], context)
    assert.deepEqual(
      wraps.map(({ wrap }) => wrap.length),
      [92, 92],
    )
    assert.deepEqual(b.unwrap(wraps, context), key)
    assert.throws(
      () => c.unwrap(wraps, context),
      (error) => isRotaError(error, 'ROTA-1312'),
    )
    assert.throws(
      () => b.unwrap(wraps, Uint8Array.of(2)),
      (error) => isRotaError(error, 'ROTA-1313'),
    )
    assert.deepEqual(a.open(b.seal(key, context), context), key)
    assert.notEqual(a.keyedDigest('x', key), b.keyedDigest('x', key))
  })

  it('draws faults that leave more than half of the sites alive and honest', () => {
    for (let seed = 0; seed < 200; seed++) {
      const sites = 3 + (seed % 7)
      const plan = drawFaults(new SimRandom(`${seed}`), sites)
      const faulty = new Set([
        ...plan.crashes.map(({ site }) => site),
        ...plan.silent,
        ...plan.liars,
        ...plan.withholding,
        ...plan.late.map(({ site }) => site),
      ])
      assert.ok(2 * (sites - faulty.size) > sites)
      assert.deepEqual(drawFaults(new SimRandom(`${seed}`), sites), plan)
    }
  })
})
