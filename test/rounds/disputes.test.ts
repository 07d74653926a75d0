import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CrashPoint, type FaultPlan, type Lie, NO_FAULTS } from '#adapters/sim/faults.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { replacing } from '#adapters/sim/liar.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { roundStories } from '#app/node/round-story.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { RotaError } from '#base/errors.ts'
import { type Address, siteId } from '#base/ids.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import { undisturbed } from '../support/replay.ts'
import { generatedStudy } from '../support/studies.ts'

// given a masked study of five, three of which publish a wrong sum and bear it out, so that rounds close on it
// └── the two honest sites have it thrown out by the contract, and the models are what the frozen sets add up to
//     ├── at once
//     ├── when each one's first calls do not come through
//     ├── when both die once they have said that it is wrong, or before they dispute it
//     └── when it was the run's last round

const [LIARS, HONEST] = [
  [1, 2, 3],
  [0, 4],
]
const averaging = (rounds: number): LearnerSpec => ({
  kind: 'logistic',
  algorithm: 'fedavg',
  rounds,
  localSteps: 2,
  learningRate: 0.5,
  l2: 0.01,
  standardise: 'pooled',
})
const RUN_MS = 600_000
const AWAY_MS = 5_000
const DISPUTED_MS = 10_000

interface Given {
  readonly rounds?: number
  /** Of the honest. */
  readonly dies?: { readonly point: CrashPoint; readonly when: 'before' | 'after'; readonly nth: number }
  readonly failing?: number
  readonly finishing?: boolean
}

async function play(given: Given) {
  const { rounds = 2, dies } = given
  const study = generatedStudy({ sites: 5, rows: 40, learner: averaging(rounds), change: { mode: 'masked', minSites: 5, quorum: 4 } })
  const lies: readonly (readonly [number, Lie])[] = [
    ...LIARS.map((site) => [site, 'bears-out-wrong-sum'] as const),
    ...LIARS.map((site) => [site, 'wrong-sum'] as const),
  ]
  const faults: FaultPlan = {
    ...NO_FAULTS,
    lies: lies.map(([site, lie]) => ({ site: siteId(site), lie })),
    crashes: dies === undefined ? [] : HONEST.map((site) => ({ site: siteId(site), ...dies, backAfterMs: AWAY_MS })),
  }
  const calls = new Map<number, number>()
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    faults,
    onWorld: (world) => meddle(world, given, calls),
  })
  try {
    const run = await network.openRun()
    await network.finish(run, RUN_MS)
    // Finished on a wrong sum it is open again.
    if (given.finishing) await network.world.time.sleep(DISPUTED_MS)
    const { state } = await network.finish(run, RUN_MS)
    const events = await network.events()
    const closed = roundStories(events, run).filter((story) => story.state === 'closed')
    const rows = study.sites.map((site) => site.rows)
    return {
      state,
      models: closed.map(({ modelRoot }) => String(modelRoot)),
      expected: await undisturbed(study.protocol, rows, closed),
      disputed: events.flatMap((e) => (e.kind === 'Disputed' ? [{ by: e.site, of: e.publisher, round: e.round }] : [])),
      closedFirst: events.flatMap((e, i) =>
        e.kind === 'Disputed' && events.slice(0, i).some((before) => before.kind === 'RoundClosed' && before.round === e.round) ? [e.round] : [],
      ),
      finished: events.filter((e) => e.kind === 'RunStateChanged' && e.state === 'Finished').length,
      calls,
    }
  } finally {
    network.stop()
  }
}

/** So many of each honest site's disputes are answered by nobody; liars may say that their model is the last. */
function meddle(world: SimWorld, { failing = 0, finishing = false }: Given, calls: Map<number, number>): void {
  const { chain } = world
  const connect = chain.connect.bind(chain)
  const isOf = (sites: readonly number[]) => (account: Address) => sites.find((each) => world.site(each).node === account)
  const [honest, liar] = [isOf(HONEST), isOf(LIARS)]
  chain.connect = (account) => {
    const near = connect(account)
    const site = honest(account)
    const dispute: typeof near.dispute = async (...call) => {
      const before = calls.get(site as number) ?? 0
      calls.set(site as number, before + 1)
      if (before < failing) throw new RotaError('ROTA-5001', { url: 'the simulated endpoint', method: 'dispute' })
      return near.dispute(...call)
    }
    const attest: typeof near.attest = (run, round, attempt, model, status, own) =>
      near.attest(run, round, attempt, model, model.root === digestOf('a model of a wrong sum', run, round) ? 'finished' : status, own)
    return replacing(near, { ...(site === undefined ? {} : { dispute }), ...(finishing && liar(account) !== undefined ? { attest } : {}) })
  }
}

describe('a wrong sum that most sites bear out', () => {
  /** Whoever it was that disputed, and what the rounds led to. */
  async function thrownOut(given: Given): Promise<Awaited<ReturnType<typeof play>>> {
    const played = await play(given)
    assert.equal(played.state, 'Finished')
    assert.deepEqual(played.models, played.expected)
    assert.ok(played.disputed.length > 0)
    assert.ok(played.disputed.every(({ by, of }) => HONEST.includes(by) && LIARS.includes(of)))
    return played
  }

  it('is disputed at once', async () => void (await thrownOut({})))

  it('is disputed again where the calls do not come through', async () => {
    const { calls, closedFirst } = await thrownOut({ failing: 2 })
    for (const site of HONEST) assert.ok((calls.get(site) ?? 0) > 1, `site ${site} tried ${calls.get(site)} times`)
    assert.ok(closedFirst.length > 0, 'no round had closed on it before')
  })

  for (const [what, dies] of [
    ['they had said that it is wrong', { point: 'chain.attest', when: 'after', nth: 2 }],
    ['they were about to dispute it', { point: 'chain.dispute', when: 'before', nth: 1 }],
  ] as const)
    it(`is disputed by sites that died when ${what}`, async () => {
      const { closedFirst } = await thrownOut({ dies })
      assert.ok(closedFirst.length > 0, 'no round had closed on it before')
    })

  it('is disputed when it ended the run', async () => {
    const { closedFirst, finished } = await thrownOut({ failing: 2, finishing: true })
    assert.ok(closedFirst.length > 0 && finished > 1, `${closedFirst}, finished ${finished} times`)
  })
})
