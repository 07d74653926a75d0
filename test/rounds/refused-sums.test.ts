import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Lie, NO_FAULTS } from '#adapters/sim/faults.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulate/simulated-network.ts'
import type { verifyLog } from '#audit/verify.ts'
import { EMPTY, sizeOf } from '#base/bitmap.ts'
import { runId, siteId } from '#base/ids.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent, RunView } from '#ports/chain.ts'
import type { Progress } from '#round/progress.ts'
import { auditOf } from '../support/audit-of.ts'
import { generatedStudy, LOGISTIC } from '../support/studies.ts'

// given a masked study in which a site hides numbers behind its mask that spoil the sum, from the second round on
// ├── a sum beyond the bounds is refused by all, the base stays, and below eight sites the run pauses
// ├── so is a model that is worse on the sites' own test rows, by their vote; and one that is honest and bad
// ├── when the liar's steward takes it out of the study, the run goes on; and when operators say so
// ├── while one who was in the refused round is away no sum is shown, and the others say whom they wait for
// ├── from eight sites on the round is repeated in groups: all name the liar's group, the sums of the others make the model
// │   └── and an auditor recomputes both rounds, and names the group too
// └── where sites make noise together there are no groups: the run pauses
const FEDAVG: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 1, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
const LIAR = 2

interface Options {
  readonly sites: number
  readonly lie?: Lie
  readonly learner?: LearnerSpec
  readonly change?: Partial<Protocol>
  /** Goes away when the sum is refused. */
  readonly absent?: number
  /** Played no further than to here. */
  readonly until?: (told: Played['told']) => boolean
  /** When the run pauses; it is played on. */
  readonly atPause?: (network: SimulatedNetwork) => Promise<void>
  readonly audited?: boolean
}

interface Played {
  readonly view: RunView
  readonly events: readonly ChainEvent[]
  readonly told: readonly (Progress & { readonly at: number })[]
  readonly protocol: Protocol
  readonly audit: Awaited<ReturnType<typeof verifyLog>> | null
}

async function play({ sites, lie, learner = FEDAVG, change = {}, absent, until = () => false, atPause, audited = false }: Options): Promise<Played> {
  // Two rounds that close: moments, and the one that is spoilt.
  const study = generatedStudy({ sites, rows: 60, learner, change: { mode: 'masked', minSites: 5, quorum: 4, maxSites: sites, maxRounds: 2, ...change } })
  const told: (Progress & { readonly at: number })[] = []
  const ports = new Map<number, SimPorts>()
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    faults: { ...NO_FAULTS, lies: lie === undefined ? [] : [{ site: siteId(LIAR), lie }] },
    tell(site, progress) {
      told.push({ ...progress, at: site.id })
      if (progress.kind === 'refused-sum' && site.id === absent) network.world.site(absent).trouble.resting = true
    },
    hooks: (site) => {
      ports.set(site.id, site)
      return {}
    },
  })
  try {
    const run = await network.openRun()
    const { world } = network
    const untilRest = async () => {
      while (world.chain.run(run).state === 'Active' && !until(told)) await world.time.sleep(1_000)
    }
    await untilRest()
    if (atPause !== undefined) {
      assert.equal(world.chain.run(run).state, 'Paused')
      await atPause(network)
      await world.time.sleep(5_000)
      await untilRest()
    }
    const audit = audited ? await auditOf(network, ports.get(0) as SimPorts, study.protocol) : null
    return { view: world.chain.run(run), events: await network.events(), told, protocol: study.protocol, audit }
  } finally {
    network.stop()
  }
}

const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K) =>
  events.filter((event): event is Extract<ChainEvent, { kind: K }> => event.kind === kind)
const refusedFor = (told: Played['told']): string[] => [...new Set(told.flatMap((p) => (p.kind === 'refused-sum' ? [p.why] : [])))]

describe('a spoilt sum', () => {
  for (const [lie, why] of [
    ['hidden-garbage', 'bounds'],
    ['hidden-poison', 'vote'],
  ] as const)
    it(`with a ${lie} is refused among five sites, and the run pauses on its base`, async () => {
      const { view, events, told } = await play({ sites: 5, lie })
      assert.deepEqual([view.state, view.closedRounds, refusedFor(told)], ['Paused', 1, [why]])
      const [refused] = only(events, 'RoundRefused')
      assert.equal(only(events, 'RoundRefused').length, 1)
      assert.equal(view.model.root, refused?.modelRoot)
      const reasons = told.flatMap((p) => (p.kind === 'abstained' ? [p.reason] : []))
      assert.deepEqual([...new Set(reasons)], ['sumRefused'])
    })

  for (const [lie, why] of [
    ['hidden-garbage', 'bounds'],
    ['hidden-poison', 'vote'],
  ] as const)
    it(`with a ${lie} is repeated in groups among eight, and the group is named`, async () => {
      const { view, told, audit } = await play({ sites: 8, lie, audited: true })
      assert.equal(view.state, 'Finished')
      assert.deepEqual(refusedFor(told), [why])
      const named = told.flatMap((p) => (p.kind === 'group-left-out' ? [p] : []))
      const group = named[0]?.sites ?? []
      assert.ok(group.length === 4 && group.includes(siteId(LIAR)))
      assert.ok(named.length >= 7 && named.every((p) => `${p.sites}` === `${group}` && p.why === why))
      assert.deepEqual(
        audit?.rounds.map(({ status, verdict }) => `${status} ${verdict}`),
        ['continue recomputed', 'refused recomputed', 'continue recomputed'],
      )
      assert.deepEqual(audit?.faults, [])
      assert.match(audit?.notes.at(-1) ?? '', new RegExp(`the group of site ${group.join(', ')} was left out`))
    })

  it('is not repeated without a site that was in it, and the others say whom they wait for', async () => {
    const away = 5
    const waitsIn = (told: Played['told']) => told.flatMap((p) => (p.kind === 'waits-for-sites' && p.at !== away ? [p] : []))
    const { view, events, told } = await play({ sites: 8, lie: 'hidden-garbage', absent: away, until: (told) => waitsIn(told).length >= 7 })
    assert.deepEqual(
      waitsIn(told)
        .map(({ at, sites }) => `${at}: ${sites}`)
        .sort(),
      [0, 1, 2, 3, 4, 6, 7].map((site) => `${site}: ${away}`),
    )
    const since = events.slice(events.findLastIndex((e) => e.kind === 'RoundRefused'))
    assert.deepEqual([view.state, only(since, 'Published'), only(since, 'RoundClosed')], ['Active', [], []])
  })

  it('that is honest and bad is refused by votes too, and once more when operators say to go on', async () => {
    const tooFast = { ...FEDAVG, localSteps: 20, learningRate: 100 } as LearnerSpec
    const { view, events, told } = await play({
      sites: 5,
      learner: tooFast,
      async atPause({ world }) {
        for (const site of world.sites) site.trouble.resting = true
        await world.time.sleep(3_000)
        assert.equal(world.chain.run(runId(1)).state, 'Paused')
        for (const site of world.sites) site.trouble.resting = false
      },
    })
    assert.deepEqual([view.state, view.closedRounds, refusedFor(told), only(events, 'RoundRefused').length], ['Paused', 1, ['vote'], 2])
  })

  it('is repeated by the others once the liar is taken out of the study', async () => {
    const { view, events } = await play({
      sites: 6,
      lie: 'hidden-garbage',
      atPause: async ({ world, study }) => world.steward(world.site(LIAR)).studyDesk().withdrawSite(study),
    })
    assert.deepEqual([view.state, only(events, 'RoundRefused').length], ['Finished', 1])
    assert.equal(sizeOf(only(events, 'Frozen').at(-1)?.included ?? EMPTY), 5)
  })

  it('is not repeated in groups where their noise would be too little', async () => {
    const privacy = { epsilon: 3, delta: 1e-4, place: 'distributed', clip: 1, unit: 'patient' }
    const { view, events, protocol } = await play({ sites: 8, lie: 'hidden-garbage', learner: LOGISTIC, change: { maxRounds: 9, privacy } as never })
    assert.deepEqual([view.state, only(events, 'RoundRefused').length, protocol.validation], ['Paused', 1, undefined])
  })
})
