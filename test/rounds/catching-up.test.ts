import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { type SimulationOptions, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { type Digest, type SiteId, siteId } from '#base/ids.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Progress } from '#round/progress.ts'
import { generatedStudy } from '../support/studies.ts'

// given a run of 120 rounds over five hospitals
// ├── when one is away for a hundred of them, it takes part in the round after it is back, and until then fetches the key's bundle and the
// │   newest model alone, from one of those who attested it; it ends with the model of the others
// ├── when one joins late and has nothing at all, the same, with the protocol
// ├── when one comes back without its journal, it sends nothing to the round that is open, and takes part in the next, with one vector a round
// └── when the newest model is not what the log leads to, it takes nothing over
// given an exact run that a site played after its last copy of the record of used cohorts
// ├── when its rows are still the same, it knows the cohort again and takes part
// └── when they are not, it abstains, and says that its record is old

const AVERAGING: LearnerSpec = {
  kind: 'logistic',
  algorithm: 'fedavg',
  rounds: 118,
  localSteps: 1,
  learningRate: 0.3,
  l2: 0.01,
  standardise: 'pooled',
}
const AWAY = siteId(4)

async function network(learner: LearnerSpec | undefined, more: Partial<SimulationOptions> = {}) {
  const study = generatedStudy({ sites: 5, rows: 40, ...(learner === undefined ? {} : { learner }) })
  const told: { site: number; progress: Progress; atMs: number }[] = []
  let received = () => 0
  const net = await simulateNetwork({
    seed: 7,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    tell: ({ id }, progress) => void told.push({ site: id, progress, atMs: net.world.time.nowMs }),
    hooks: (ports) => {
      if (ports.id === AWAY) received = () => ports.store.traffic.bytesIn
      return {}
    },
    ...more,
  })
  const round = async (): Promise<number> => Number(roundsOf(await net.events()).at(-1)?.round ?? 0)
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    await net.world.within(
      (async () => {
        while (!(await isSo())) await net.world.time.sleep(100)
      })(),
      3_600_000,
    )
  }
  /** Objects that the chain names and this site has, by the round that they are of. */
  const holds = async (): Promise<ReadonlyMap<Digest, number>> =>
    new Map(namedIn(await net.events()).flatMap(({ cid, round: of }) => (net.world.disks.holds(cid, AWAY) ? [[cid, of] as const] : [])))
  return { ...net, told, holds, received: () => received(), round, until }
}

const namedIn = (events: readonly ChainEvent[]): { readonly cid: Digest; readonly round: number }[] =>
  events.flatMap((e) => {
    if (e.kind === 'Contributed') return [{ cid: e.cid, round: e.round }]
    if (e.kind === 'Published') return [{ cid: e.sumCid, round: e.round }]
    return e.kind === 'RoundClosed' ? [{ cid: e.modelCid, round: e.round }] : []
  })

const roundsOf = (events: readonly ChainEvent[]) => events.filter((e) => e.kind === 'RoundOpened')
const sentBy = (events: readonly ChainEvent[], site: number): number[] => events.flatMap((e) => (e.kind === 'Contributed' && e.site === site ? [e.round] : []))

/** Who attested the model until its round closed, in the order of their ids. */
function attestersOf(events: readonly ChainEvent[], model: Digest): SiteId[] {
  const closed = events.findIndex((e) => e.kind === 'RoundClosed' && e.modelCid === model)
  const sites = events.slice(0, closed).flatMap((e) => (e.kind === 'Attested' && e.modelCid === model ? [e.site] : []))
  return sites.sort((a, b) => a - b)
}

/** Not the first, whom all would ask. */
const ownTurnAmong = (sites: readonly SiteId[]): SiteId | undefined => sites[AWAY % sites.length]

describe('catching up', () => {
  it('a site that was away for 100 rounds fetches what it needs, and takes part in the next round', async (t) => {
    const net = await network(AVERAGING)
    t.after(() => net.stop())
    const away = net.world.site(AWAY)
    const run = await net.openRun()
    await net.until(async () => (await net.round()) >= 5)
    net.world.crash(away)
    await net.until(async () => (await net.round()) >= 106)
    const [back, before] = [await net.round(), await net.holds()]
    const givers = new Map<Digest, SiteId>()
    net.world.disks.onCopy = (cid, _, from, to) => void (to === AWAY && givers.set(cid, from))
    net.world.restart(away)
    await net.until(async () => sentBy(await net.events(), AWAY).some((round) => round >= back))
    const sent = sentBy(await net.events(), AWAY).find((round) => round >= back) as number
    assert.ok(sent <= back + 2, `back in round ${back}, took part in ${sent}`)
    const fresh = [...(await net.holds())].filter(([cid]) => !before.has(cid))
    assert.ok(fresh.length > 0 && fresh.every(([, round]) => round >= back - 1), 'the newest model, and what is of rounds since it is back')
    assert.ok(net.received() < 10_000, `${net.received()} bytes`)
    const fetched = (await net.events()).flatMap((e) => (e.kind === 'RoundClosed' && givers.has(e.modelCid) ? [e.modelCid] : []))
    assert.ok(fetched.length > 0)
    for (const cid of fetched) assert.equal(givers.get(cid), ownTurnAmong(attestersOf(await net.events(), cid)))
    const end = await net.finish(run)
    assert.equal(end.state, 'Finished')
    assert.ok(
      away.journal.every(({ kind }) => kind !== 'abstained'),
      'with its journal at hand nothing has to be settled',
    )
    assert.ok(net.world.disks.holds(end.model.cid, AWAY))
  })

  it('a site that joins late gets protocol, key and the newest model', async (t) => {
    const net = await network(AVERAGING, { faults: { ...NO_FAULTS, late: [{ site: AWAY, afterMs: 45_000 }] } })
    t.after(() => net.stop())
    const run = await net.openRun()
    await net.until(async () => sentBy(await net.events(), AWAY).length > 0)
    const [first] = sentBy(await net.events(), AWAY)
    assert.ok((first as number) > 10)
    const held = [...(await net.holds()).values()]
    assert.ok(held.length > 0 && held.every((round) => round >= (first as number) - 3), 'nothing of the rounds before')
    assert.ok(net.received() < 10_000, `${net.received()} bytes`)
    assert.equal((await net.finish(run)).state, 'Finished')
  })

  it('a site without its journal sends nothing to the open round, and takes part in the next', async (t) => {
    const net = await network(AVERAGING)
    t.after(() => net.stop())
    const away = net.world.site(AWAY)
    const run = await net.openRun()
    await net.until(async () => sentBy(await net.events(), AWAY).length >= 6)
    net.world.crash(away)
    const before = sentBy(await net.events(), AWAY)
    away.journal.length = 0
    const open = await net.round()
    net.world.restart(away)
    await net.until(async () => sentBy(await net.events(), AWAY).length > before.length)
    const sent = sentBy(await net.events(), AWAY)
    assert.ok((sent.at(-1) as number) > open)
    assert.deepEqual(
      away.journal
        .filter((e) => e.kind === 'contributed')
        .map(({ round }) => Number(round))
        .slice(0, before.length),
      before,
    )
    await net.finish(run)
    const all = sentBy(await net.events(), AWAY)
    assert.equal(new Set(all).size, all.length)
  })

  it('takes over no model that the log does not lead to', async (t) => {
    const net = await network(AVERAGING, {})
    t.after(() => net.stop())
    const away = net.world.site(AWAY)
    const run = await net.openRun()
    await net.until(async () => (await net.round()) >= 4)
    net.world.crash(away)
    await net.until(async () => (await net.round()) >= 8)
    // Its endpoint leaves out who attested round 6.
    const account = Object.getPrototypeOf(net.world.node(away)) as { events: (...args: unknown[]) => Promise<readonly ChainEvent[]> }
    const honest = account.events
    let hides = true
    t.mock.method(account, 'events', async function (this: { account: string }, ...args: unknown[]) {
      const events = await honest.apply(this, args)
      return hides && this.account === away.node ? events.filter((e) => !(e.kind === 'Attested' && e.round === 6)) : events
    })
    const from = net.told.length
    net.world.restart(away)
    await net.until(() => net.told.slice(from).some(({ site, progress }) => site === AWAY && progress.kind === 'trouble' && progress.code === 'ROTA-5512'))
    assert.ok(!net.told.slice(from).some(({ site, progress }) => site === AWAY && progress.kind === 'adopted'))
    hides = false
    await net.until(() => net.told.slice(from).some(({ site, progress }) => site === AWAY && progress.kind === 'adopted'))
    assert.equal((await net.finish(run)).state, 'Finished')
  })
})

describe('a record of used cohorts that is an old copy', () => {
  const playTwice = async (t: { after(done: () => void): void }, change: (net: Awaited<ReturnType<typeof network>>) => void) => {
    const net = await network(undefined)
    t.after(() => net.stop())
    await net.finish(await net.openRun())
    net.world.crash(net.world.site(AWAY))
    change(net)
    net.world.restart(net.world.site(AWAY))
    const run = await net.openRun()
    await net.finish(run)
    return { net, sent: (await net.events()).filter((e) => e.kind === 'Contributed' && e.site === AWAY && e.run === run) }
  }
  const forget = (net: Awaited<ReturnType<typeof network>>): void => {
    const site = net.world.site(AWAY) as { differencing: unknown }
    site.differencing = new (Object.getPrototypeOf(site.differencing) as { constructor: new () => unknown }).constructor()
  }

  it('is brought up by the chain when the rows are the same', async (t) => {
    const { net, sent } = await playTwice(t, forget)
    assert.ok(sent.length > 0)
    const mine = (await net.events()).filter((e) => e.kind === 'Contributed').filter((e) => e.site === AWAY)
    const first = [1, 2].map((run) => mine.find((e) => e.run === run)?.cohortRoot)
    assert.deepEqual([...(await net.world.site(AWAY).differencing.roots())].sort(), first.sort())
  })

  it('lets nothing pass that it had forbidden', async (t) => {
    const { net, sent } = await playTwice(t, (of) => {
      forget(of)
      const { cohort } = of.world.site(AWAY)
      cohort.withdrawHere(cohort.tags.train[0] as Digest)
    })
    assert.equal(sent.length, 0)
    const details = net.told.flatMap(({ site, progress }) => (site === AWAY && progress.kind === 'abstained' ? [progress.detail] : []))
    assert.ok(details.length > 0 && details.every((detail) => detail.startsWith('ROTA-6008')), details.join('\n'))
  })
})
