import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, type Lie, NO_FAULTS } from '#adapters/sim/faults.ts'
import { replacing } from '#adapters/sim/liar.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { roundStories } from '#app/node/round-story.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { type RunId, type SiteId, siteId } from '#base/ids.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import type { RowName } from '#round/next.ts'
import type { Progress } from '#round/progress.ts'
import { undisturbed } from '../support/replay.ts'
import { generatedStudy, LOGISTIC, largeNetwork } from '../support/studies.ts'

// given a masked study over a simulated chain and network, with the code and the cryptography of real nodes
// ├── when nobody drops out, its models are those of the open study, byte for byte
// ├── when a site drops out before it offers keys, deals, prepares the next round, keys, contributes, shows its shares or attests
// │   └── the models are those that the plain updates of the frozen sets give
// ├── when a site shows shares that it was not given, the others name it and go on
// ├── when a leader publishes a wrong sum and most bear it out, one site shows the contract so, and a standby publishes
// ├── when a site deals garbage or gives its parcels to nobody, the round closes
// ├── when each look at the chain takes longer than what was said is given to be heard, no round is void
// ├── when one drops out of seven that has keyed, and one that is in dies before it shows its shares, the round closes
// ├── when a site's log is behind what else the chain shows it, it keys for its round alone, and masks with all that keyed
// └── when vectors are large and cut in slices, the same

const SITES = 5
const FEDAVG: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 2, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((w) => 0.99 * w), stop: async () => undefined }

interface Played {
  readonly protocol: Protocol
  readonly models: readonly string[]
  readonly expected: readonly string[]
  readonly included: readonly (readonly number[])[]
  readonly told: readonly Progress[]
  readonly disputes: readonly { readonly publisher: number }[]
  readonly state: string
  readonly voids: number
  /** What the dropped site, or any, did: round and row. */
  readonly rows: ReadonlySet<string>
}

interface Options {
  readonly mode?: Protocol['mode']
  readonly learner?: LearnerSpec
  /** The site is gone before this row of this round, and back in the next. */
  readonly drop?: { readonly row: RowName; readonly round: number; readonly site: number }
  readonly lies?: readonly (readonly [site: number, lie: Lie])[]
  readonly slices?: number
  /** So long each look at the chain takes. */
  readonly lookMs?: number
  /** These die before this row of this round, and stay away. */
  readonly gone?: readonly { readonly row: RowName; readonly round: number; readonly site: number }[]
  readonly sites?: number
  /** Site 0 does not see these events when it sees what they did. */
  readonly late?: (event: ChainEvent) => boolean
}

/** Of a run that goes on for longer nothing will come. */
const RUN_MS = 600_000

async function play({
  mode = 'masked',
  learner = LOGISTIC,
  drop,
  lies = [],
  slices = 1,
  lookMs = 0,
  late,
  gone = [],
  sites = SITES,
}: Options): Promise<Played> {
  const change = { mode, minSites: 5, quorum: 4, slices, ...(learner.kind === 'neural' ? { maxRounds: 10 } : {}) }
  const study = generatedStudy({ sites, rows: 40, learner, change })
  const told: Progress[] = []
  const rows = new Set<string>()
  const faults: FaultPlan = { ...NO_FAULTS, lies: lies.map(([site, lie]) => ({ site: siteId(site), lie })) }
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    trainer: shrinking,
    ...(lies.length === 0 ? {} : { faults }),
    onWorld: (world) => {
      if (lookMs > 0) slowDown(world, lookMs)
      if (late !== undefined) holdBack(world, siteId(0), late)
    },
    tell: (_, progress) => void told.push(progress),
    hooks: (site) => ({
      async beforeRow(row, view) {
        if (gone.some((each) => each.row === row && siteId(each.site) === site.id && each.round === view.round.round)) {
          network.world.crash(network.world.site(site.id))
          await new Promise(() => undefined)
        }
        if (drop === undefined || site.id === siteId(drop.site)) rows.add(`${view.round.round} ${row}`)
        if (row !== drop?.row || site.id !== siteId(drop.site) || view.round.round !== drop.round) return
        while ((await site.chain.run(view.run)).round.round === drop.round) await network.world.time.sleep(500)
      },
    }),
  })
  try {
    const run: RunId = await network.openRun()
    const view = await network.finish(run, RUN_MS)
    const events = await network.events()
    const stories = roundStories(events, run).filter(({ state }) => state === 'closed')
    return {
      protocol: study.protocol,
      models: stories.map((story) => String(story.modelRoot)),
      expected:
        learner.kind === 'neural'
          ? []
          : await undisturbed(
              study.protocol,
              study.sites.map((site) => site.rows),
              stories,
            ),
      included: stories.map((story) => story.included),
      told,
      disputes: events.filter((event) => event.kind === 'Disputed'),
      state: view.state,
      voids: roundStories(events, run).filter(({ state }) => state === 'void').length,
      rows,
    }
  } finally {
    network.stop()
  }
}

/** As an endpoint far away does, or a machine that does much else. */
function slowDown({ chain, time }: SimWorld, ms: number): void {
  const connect = chain.connect.bind(chain)
  chain.connect = (account) => {
    const near = connect(account)
    return replacing(near, { run: (id: RunId) => time.sleep(ms).then(() => near.run(id)) })
  }
}

const LATE_MS = 700

/** As an endpoint that answers calls at once and tells of new logs when it has the time. */
function holdBack(world: SimWorld, site: SiteId, late: (event: ChainEvent) => boolean): void {
  const { chain, time } = world
  const connect = chain.connect.bind(chain)
  const seenMs = new Map<string, number>()
  const isOld = ({ block, index }: { readonly block: number; readonly index: number }): boolean => {
    const name = `${block} ${index}`
    if (!seenMs.has(name)) seenMs.set(name, time.nowMs)
    return time.nowMs - (seenMs.get(name) as number) >= LATE_MS
  }
  chain.connect = (account) => {
    const near = connect(account)
    if (account !== world.site(site).node) return near
    return replacing(near, {
      events: async (...asked: Parameters<typeof near.events>) => (await near.events(...asked)).filter((event) => !late(event) || isOld(event)),
    })
  }
}

const withdraw = (site: number) => (set: readonly number[]) => !set.includes(siteId(site) as SiteId)

describe('masked runs', () => {
  for (const [name, learner] of [
    ['an exact fit', LOGISTIC],
    ['averaging', FEDAVG],
  ] as const)
    it(`of ${name} lead to the models of open ones`, async () => {
      const [open, masked] = [await play({ mode: 'open', learner }), await play({ learner })]
      assert.deepEqual(masked.models, open.models)
      assert.deepEqual(masked.models, masked.expected)
      assert.equal(masked.state, 'Finished')
    })

  // Row, the round, and whether the site is still in its set. Offers and deals of later rounds are made a round early.
  const drops = [
    ['advertise', 1, false],
    ['deal', 1, false],
    ['prepare', 1, true],
    ['key', 2, false],
    ['contribute', 2, false],
    ['release', 2, true],
    ['attest', 2, true],
  ] as const
  for (const [row, round, isIn] of drops)
    it(`survive a site that drops out before it would ${row}`, async () => {
      const { models, expected, included, rows, state } = await play({ learner: FEDAVG, drop: { row, round, site: 3 } })
      assert.equal(state, 'Finished')
      assert.deepEqual(models, expected)
      assert.ok(rows.has(`${round} ${row}`))
      assert.equal(withdraw(3)(included[round - 1] as readonly number[]), !isIn)
    })

  // What the two have in common is in what the first keyed with, and in nothing else.
  it('survive two of seven, one of which has only keyed and the other only contributed', async () => {
    const gone = [
      { row: 'release', round: 2, site: 2 },
      { row: 'contribute', round: 2, site: 5 },
    ] as const
    const { models, expected, included, state, voids } = await play({ learner: FEDAVG, sites: 7, gone })
    assert.deepEqual([state, voids, models], ['Finished', 0, expected])
    assert.deepEqual(included[1], [0, 1, 2, 3, 4, 6])
  })

  it('exchange keys and shares a round early: only the first round has to wait for them', async () => {
    const { rows } = await play({ learner: FEDAVG })
    assert.deepEqual([rows.has('1 advertise'), rows.has('1 deal'), rows.has('1 key')], [true, true, true])
    for (const round of [2, 3]) assert.deepEqual([rows.has(`${round} advertise`), rows.has(`${round} deal`), rows.has(`${round} key`)], [false, false, true])
  })

  it('name a site that shows shares which it was not given', async () => {
    const { told, models, expected, state } = await play({ learner: FEDAVG, lies: [[0, 'wrong-share']] })
    assert.equal(state, 'Finished')
    assert.deepEqual(models, expected)
    const named = told.flatMap((progress) => (progress.kind === 'wrong-shares' ? progress.sites : []))
    assert.ok(named.length > 0)
    assert.deepEqual([...new Set(named)], [0])
  })

  it('throw out by a dispute a wrong sum that most sites bear out', async () => {
    const { disputes, models, expected, state } = await play({
      learner: FEDAVG,
      lies: [
        [1, 'wrong-sum'],
        [1, 'bears-out-wrong-sum'],
        [2, 'bears-out-wrong-sum'],
        [3, 'bears-out-wrong-sum'],
      ],
    })
    assert.equal(state, 'Finished')
    assert.deepEqual(models, expected)
    assert.ok(disputes.length > 0)
    assert.deepEqual([...new Set(disputes.map(({ publisher }) => publisher))], [1])
  })

  for (const lie of ['garbage-deal', 'withheld-parcel', 'withheld-shares'] as const)
    it(`go on beside a site with a ${lie}`, async () => {
      const { models, expected, state } = await play({ learner: FEDAVG, lies: [[2, lie]] })
      assert.equal(state, 'Finished')
      assert.deepEqual(models, expected)
    })

  it('lose no round where a look at the chain takes long', async () => {
    const { state, voids, models, expected } = await play({ learner: FEDAVG, lookMs: 1_000 })
    assert.equal(state, 'Finished')
    assert.equal(voids, 0)
    assert.deepEqual(models, expected)
  })

  for (const [what, late] of [
    ['the opening of its round', () => true],
    ['the keys of another', (event: ChainEvent) => event.kind === 'Keyed' && event.site === siteId(4)],
  ] as const)
    it(`have all in each round where one’s log does not show ${what} at once`, async () => {
      const { state, voids, models, expected, told, included } = await play({ learner: FEDAVG, late })
      assert.equal(state, 'Finished')
      assert.equal(voids, 0)
      assert.deepEqual(models, expected)
      assert.deepEqual(
        included.map((sites) => sites.length),
        included.map(() => SITES),
      )
      assert.ok(!told.some(({ kind }) => kind === 'refused-sum'))
    })

  it('add up large vectors in slices', async () => {
    const { state, models } = await play({ learner: largeNetwork(1), slices: 4 })
    assert.equal(state, 'Finished')
    assert.equal(models.length, 3)
  })
})
