import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { digestOf } from '#adapters/sim/hash.ts'
import { replacing } from '#adapters/sim/liar.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { attemptNo, type RoundNo, roundNo, runId, siteId } from '#base/ids.ts'
import type { Chain, StudyRules } from '#ports/chain.ts'
import type { Play, Round } from '#round/play.ts'
import type { Progress } from '#round/progress.ts'
import { whileAwaited } from '#round/steps/while-awaited.ts'

/*
  work for a round, of which the limit is 30 s
  ├── that is done in 15 s asks for nothing
  ├── that takes 35 s asks once, when two thirds of the limit are gone, and is done in time
  ├── that takes longer than both limits is waited for no longer
  ├── of a site that nobody waits for asks for nothing, and is waited for until the limit
  ├── asks for nothing where another site has asked
  └── asks again when its call did not reach the chain, and not when the chain refused it
*/
const LIMIT = { seconds: 30, blocks: 10 }
const run = runId(1)
const all = [0, 1, 2, 3]
const rules: StudyRules = {
  ...({ minSites: 3, quorum: 3, maxRounds: 9, wordBits: 64, slices: 1, mode: 'open', exact: false } as const),
  limits: Array.from({ length: 5 }, () => LIMIT),
  arithmeticVersion: digestOf('golden'),
}

const named = (what: string, site: number) => digestOf(what, site)

const worlds: SimWorld[] = []

/** A world with a run in its first round. */
async function opened() {
  const world = SimWorld.create({ seed: 1, sites: all.length, chain: { latencyMs: [1, 1] } })
  worlds.push(world)
  const study = await world.publishStudy(digestOf('protocol'), digestOf('protocol cid'), rules)
  const node = (site: number) => world.node(world.site(site))
  await node(0).publishEpoch(study, 0, digestOf('key'), digestOf('bundle'))
  await node(0).openRun(study, { root: digestOf('model'), cid: digestOf('cid') })
  const contribute = (sites: readonly number[], round: RoundNo) =>
    Promise.all(sites.map((site) => node(site).contribute(run, round, named('root', site), named('cid', site), named('cohort', site))))
  return { world, study, node, contribute }
}

type World = Awaited<ReturnType<typeof opened>>

/** Works at a site for so long; what it said to the chain and to people meanwhile. */
async function work({ world, study }: World, site: number, seconds: number, round = roundNo(1), extend?: Chain['extend']) {
  const ports = world.start(world.site(site))
  const calls: number[] = []
  const told: Progress[] = []
  const startMs = world.time.nowMs
  const chain = replacing<Chain>(ports.chain, {
    extend: (...args) => {
      calls.push(Math.round((world.time.nowMs - startMs) / 1000))
      return (extend ?? ports.chain.extend.bind(ports.chain))(...args)
    },
  })
  const play = { site: { ...ports, chain, tell: (p: Progress) => told.push(p) }, study: { record: () => chain.study(study) } } as unknown as Play
  const task = ports.host.clock.sleep(1000 * seconds, ports.crashed).then(() => 'done')
  const doing = whileAwaited(play, { run, round } as Round, ports.crashed, task).catch((error) => (isRotaError(error) ? error.code : error))
  const outcome = await world.within(doing, 200_000)
  return { outcome, calls, told: told.map(({ kind }) => kind) }
}

/** As the other nodes do: moves the phase on when its limit has passed. */
const ticking = ({ world, node }: World): void => {
  world.time.after(5_000, () => {
    void node(0).tick(run)
    ticking({ world, node } as World)
  })
}

const viewOf = ({ node }: World) => node(0).run(run)

describe('work for a round', { timeout: 30_000 }, () => {
  afterEach(() => {
    for (const world of worlds.splice(0)) world.stop()
  })

  it('asks for nothing when it is done in time', async () => {
    const world = await opened()
    assert.deepEqual(await work(world, 3, 15), { outcome: 'done', calls: [], told: [] })
  })

  it('asks once when it would be late, and is done', async () => {
    const world = await opened()
    await world.contribute([0, 1, 2], roundNo(1))
    ticking(world)
    const { outcome, calls, told } = await work(world, 3, 35)
    assert.deepEqual([outcome, calls.length, told], ['done', 1, ['asked-for-time']])
    const { extended, phase } = (await viewOf(world)).round
    assert.deepEqual([extended, phase], [true, 'Contributing'])
  })

  it('is waited for no longer than both limits', async () => {
    const world = await opened()
    await world.contribute([0, 1, 2], roundNo(1))
    ticking(world)
    const { outcome, calls } = await work(world, 3, 90)
    assert.deepEqual([outcome, calls.length], ['ROTA-5510', 1])
  })

  it('asks for nothing where nobody waits for the site', async () => {
    const world = await opened()
    const { node, contribute } = world
    await contribute([0, 1, 2], roundNo(1))
    await node(3).abstain(run, roundNo(1), 'maintenance')
    for (const site of [0, 1]) await node(site).witness(run, roundNo(1), 0, bitmapOf([0, 1, 2].map(siteId)))
    await node(0).publish(run, roundNo(1), attemptNo(0), digestOf('sum'), digestOf('sum cid'))
    const model = { root: digestOf('next'), cid: digestOf('next cid') }
    for (const site of [0, 1]) await node(site).attest(run, roundNo(1), attemptNo(0), model, 'continue', named('own', site))
    await contribute([0, 1], roundNo(2))
    ticking(world)
    const { outcome, calls } = await work(world, 3, 90, roundNo(2))
    assert.deepEqual([outcome, calls], ['ROTA-5510', []])
  })

  it('asks for nothing where another has asked', async () => {
    const world = await opened()
    await world.node(2).extend(run, roundNo(1))
    ticking(world)
    const { outcome, calls } = await work(world, 3, 22)
    assert.deepEqual([outcome, calls], ['done', []])
  })

  it('asks again only when its call did not reach the chain', async () => {
    const failing = (code: 'ROTA-5002' | 'ROTA-5126') => async () => {
      throw new RotaError(code, {})
    }
    const [lost, refused] = [await opened(), await opened()]
    const again = await work(lost, 3, 25, roundNo(1), failing('ROTA-5002'))
    assert.ok(again.calls.length > 1 && again.told.length === 0, `${again.calls}`)
    const once = await work(refused, 3, 25, roundNo(1), failing('ROTA-5126'))
    assert.deepEqual([once.calls.length, once.told], [1, []])
  })
})
