import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { sha256 } from '#app/sha256.ts'
import { roundNo, runId, type SiteId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'

/*
  a simulated world in which more goes wrong than messages and crashes
  ├── a chain that goes back forgets what came after, and mines again what somebody still had
  ├── a chain that stands still makes no block, and then time jumps
  ├── an endpoint that is away gives nothing, one that is behind shows what was, one that is forgetful mines and does not say so
  ├── a full disk takes nothing and loses nothing
  ├── a clock that jumps changes no sleep
  ├── what would make too many fall into trouble is left out
  └── a copy of a data folder brings back its journal and its objects
*/
const RUN = runId(1)
const ROUND = roundNo(1)
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
const signal = new AbortController().signal

/** Endpoints are troubled in worlds in which something is planned. */
const NEVER: FaultPlan['disturbances'] = [{ at: { round: 99, phase: 'Contributing', afterMs: 0 }, kind: 'copy', who: siteId(0) }]

async function worldWithRun(faults: Partial<FaultPlan> = {}): Promise<SimWorld> {
  const world = SimWorld.create({ seed: 1, sites: 3, faults: { ...NO_FAULTS, disturbances: NEVER, ...faults }, chain: { mayGoBack: true } })
  const study = await world.publishStudy(digestOf('protocol'), digestOf('protocol cid'), rules)
  await world.node(world.site(0)).publishEpoch(study, 0, digestOf('key'), digestOf('bundle'))
  await world.node(world.site(0)).openRun(study, { root: digestOf('model'), cid: digestOf('cid') })
  return world
}

const contribute = (world: SimWorld, site: number) =>
  world.start(world.site(site)).chain.contribute(RUN, ROUND, digestOf('root', site), digestOf('cid', site), digestOf('cohort', site))

const contributed = (world: SimWorld) => world.chain.run(RUN).round.contributed

describe('troubles of a simulated world', () => {
  it('lets the chain go back', async () => {
    const world = await worldWithRun()
    const before = world.chain.head()
    await contribute(world, 0)
    assert.equal(contributed(world), 1n)
    world.chain.rewind(before.number, () => false)
    assert.equal(contributed(world), 0n)
    assert.equal((await world.node(world.site(0)).events(before.number + 1)).length, 0)
    await contribute(world, 1)
    assert.equal(contributed(world), 2n)
    assert.notEqual(world.chain.head().hash, before.hash)
    world.chain.rewind(before.number, () => true)
    await world.time.sleep(1_000)
    assert.equal(contributed(world), 2n, 'what somebody still had is mined again')
  })

  it('lets the chain stand still', async () => {
    const world = await worldWithRun()
    const { number } = world.chain.head()
    world.chain.stall(30_000)
    const sent = contribute(world, 0)
    await world.time.sleep(29_000)
    assert.equal(world.chain.head().number, number)
    assert.equal(contributed(world), 0n)
    await sent
    assert.equal(contributed(world), 1n)
    assert.ok(world.chain.head().timestamp >= Math.floor(world.time.nowMs / 1_000) - 1)
  })

  it('lets an endpoint be away, behind or forgetful', async () => {
    const world = await worldWithRun()
    const site = world.site(0)
    const { chain } = world.start(site)
    let woken = 0
    chain.onChange(() => woken++)
    site.trouble.endpoint = { kind: 'away' }
    await assert.rejects(chain.run(RUN), { code: 'ROTA-5001' })
    await assert.rejects(chain.tick(RUN), { code: 'ROTA-5001' })
    await contribute(world, 1)
    await world.time.sleep(100)
    assert.equal(woken, 0)
    site.trouble.endpoint = { kind: 'behind', byMs: 5_000 }
    assert.equal((await chain.run(RUN)).round.contributed, 2n)
    await contribute(world, 2)
    assert.equal((await chain.run(RUN)).round.contributed, 2n)
    await world.time.sleep(5_000)
    await chain.head()
    await world.time.sleep(5_000)
    assert.equal((await chain.run(RUN)).round.contributed, 6n)
    site.trouble.endpoint = { kind: 'forgetful' }
    await assert.rejects(chain.ready(RUN), { code: 'ROTA-5002' })
    assert.equal(world.chain.run(RUN).ready, 1n)
  })

  it('lets a disk be full', async () => {
    const world = await worldWithRun()
    const site = world.site(0)
    const { journal, store, diskFull } = world.start(site)
    const entry = { kind: 'abstained', run: RUN, round: ROUND, reason: 'noDisk' } as const
    site.trouble.diskFull = true
    const bytes = Uint8Array.of(1, 2, 3)
    await assert.rejects(journal.append(entry), { code: 'ROTA-1306' })
    await assert.rejects(store.put(bytes, outlineOf(bytes, sha256), 'sum', new Uint8Array(32), signal), { code: 'ROTA-1306' })
    assert.equal(await diskFull(), true)
    site.trouble.diskFull = false
    await journal.append(entry)
    assert.deepEqual(journal.entries(), [entry])
  })

  it('lets a clock jump, and changes no sleep by it', async () => {
    const world = await worldWithRun()
    const site = world.site(0)
    const { host } = world.start(site)
    const from = world.time.nowMs
    const slept = host.clock.sleep(1_000, signal)
    site.trouble.offsetMs = -3_600_000
    assert.equal(host.clock.nowMs(), from - 3_600_000)
    await slept
    assert.equal(world.time.nowMs, from + 1_000)
  })

  it('leaves out what would make too many fall', async () => {
    const at = { round: 1, phase: 'Contributing', afterMs: 10 } as const
    const kill = (who: SiteId) => ({ at, kind: 'kill', who, backAfterMs: 1_000 }) as const
    const notes: string[] = []
    const world = SimWorld.create({ seed: 1, sites: 3, faults: { ...NO_FAULTS, mostInTrouble: 1, disturbances: [kill(siteId(1)), kill(siteId(2))] } })
    world.onNote = (site, what) => notes.push(`${site} ${what}`)
    const study = await world.publishStudy(digestOf('protocol'), digestOf('protocol cid'), rules)
    world.play(async (ports) => void (await ports.host.clock.sleep(60_000, ports.crashed)))
    await world.node(world.site(0)).publishEpoch(study, 0, digestOf('key'), digestOf('bundle'))
    await world.node(world.site(0)).openRun(study, { root: digestOf('model'), cid: digestOf('cid') })
    await world.time.sleep(500)
    assert.deepEqual(
      world.sites.map(({ alive }) => alive),
      [true, false, true],
    )
    await world.time.sleep(2_000)
    assert.ok(world.site(1).alive)
    assert.deepEqual(notes, ['1 killed', 'null spared, for too many are in trouble: site 2 (killed)', '1 starts again'])
    world.stop()
  })
})
