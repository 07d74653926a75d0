import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { type Digest, digest, type SiteId, siteId } from '#base/ids.ts'
import { ABSTAIN_REASONS, type ChainEvent } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { decodeMessage } from '#wire/message.ts'
import { encodeSliceWord } from '#wire/slice-word.ts'
import { generatedStudy, largeNetwork } from '../support/studies.ts'

// given a model too large to be added up by every site
// ├── when it is cut into as many slices as sites, each round closes, on the same model as in one slice
// ├── when there are more slices than it has units, empty slices do no harm
// ├── when seven sites share the work, none moves more than five models a round each way, and none adds up all of it
// ├── when a custodian is gone after it contributed, the others take over what it owes
// ├── when a custodian says something else of its slices, the others add them up, and the true sum closes the round
// ├── when a site's disk is too full for new work, it fetches and bears out nobody's update and has the new model; the others close each round in time
// ├── when the disks of two of a slice's three custodians are, they help after half of the limit, and no round is void
// └── when the leader and a standby publish and vouch for the same wrong sum, it is thrown out

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>
const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K): Of<K>[] => events.filter((e): e is Of<K> => e.kind === kind)

const large = largeNetwork(2)
const MODEL_BYTES = 448_000
/** Of a model as a site that was not in the round fetches it. */
const WEIGHTS_BYTES = 320_400
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((w) => 0.99 * w), stop: async () => undefined }

async function play(
  sites: number,
  slices: number,
  faults: Partial<FaultPlan> = {},
  tamper: (ports: SimPorts) => void = () => undefined,
  change: Parameters<typeof generatedStudy>[0]['change'] = {},
) {
  const study = generatedStudy({ sites, rows: 40, learner: large, change: { slices, minSites: sites, ...change } })
  const ports = new Map<SiteId, SimPorts>()
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    trainer: shrinking,
    faults: { ...NO_FAULTS, ...faults },
    hooks: (of) => {
      ports.set(of.id, of)
      tamper(of)
      return {}
    },
  })
  try {
    const view = await network.finish(await network.openRun())
    return { view, events: await network.events(), stores: [...ports.values()].map(({ store }) => store.traffic) }
  } finally {
    network.stop()
  }
}

/** Seven custodians of three slices each make 21 calls: where each has its block, they need more time than a protocol has at least. */
const patient = Object.fromEntries(['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, { seconds: 60, blocks: 60 }]))

/** The others are of moments and of figures, which come inside messages. */
const LARGE_ROUNDS: readonly number[] = [2, 3]
const begun = (events: readonly ChainEvent[], phase: string): number => only(events, 'PhaseBegan').filter((e) => e.phase === phase).length

/** From the run's first moment on. */
const filling = (who: SiteId): FaultPlan['disturbances'][number] => ({
  at: { round: 1, phase: 'Contributing', afterMs: 0 },
  kind: 'disk-full',
  who,
  lastsMs: 1e9,
  filling: true,
})

/** The site says that it got something else for its slices. */
const saysOther =
  (who: SiteId) =>
  ({ id, gossip }: SimPorts): void => {
    if (id !== who) return
    const publish = gossip.publish.bind(gossip)
    gossip.publish = (bytes) => {
      const message = decodeMessage(bytes)
      if (message.kind !== 'slice') return publish(bytes)
      return publish(encodeSliceWord({ ...message, units: message.units.map((): Digest => digest(`0x${'ab'.repeat(32)}`)) }))
    }
  }

describe('a large model in slices', () => {
  it('closes each round, on the same model as in one slice', async () => {
    const [one, five] = [await play(5, 1), await play(5, 5)]
    assert.equal(five.view.state, 'Finished')
    assert.deepEqual(only(five.events, 'RoundVoid'), [])
    assert.ok(new Set(only(five.events, 'Witnessed').map((e) => e.slice)).size === 5)
    assert.equal(five.view.model.root, one.view.model.root)
  })

  it('does no harm by empty slices', async () => {
    const { view, events } = await play(12, 12)
    assert.equal(view.state, 'Finished')
    assert.deepEqual(only(events, 'RoundVoid'), [])
  })

  it('spreads the work', async () => {
    const { events, stores } = await play(7, 7)
    const rounds = only(events, 'RoundClosed').length
    for (const { bytesIn, bytesOut } of stores) {
      assert.ok(bytesIn / rounds <= 5 * MODEL_BYTES, `${bytesIn / rounds} bytes in`)
      assert.ok(bytesOut / rounds <= 5 * MODEL_BYTES, `${bytesOut / rounds} bytes out`)
    }
  })

  it('goes on when a custodian is gone', async () => {
    const gone = { site: siteId(2), point: 'chain.contribute', when: 'after', nth: 2, backAfterMs: null } as const
    const { view, events } = await play(5, 5, { crashes: [gone] })
    assert.equal(view.state, 'Finished')
    assert.deepEqual(only(events, 'RoundVoid'), [])
  })

  it('believes no custodian that contradicts another', async () => {
    const liar = siteId(3)
    const { view, events } = await play(5, 5, {}, saysOther(liar))
    assert.equal(view.state, 'Finished')
    assert.deepEqual(only(events, 'RoundVoid'), [])
    // What the liar itself publishes is honest: its word alone is not.
    assert.deepEqual(only(events, 'PublicationDiscarded'), [])
  })

  it('is left to the others where a disk is too full', async () => {
    const { view, events, stores } = await play(7, 7, { disturbances: [filling(siteId(0))] }, undefined, { limits: patient })
    assert.equal(view.state, 'Finished')
    assert.deepEqual(only(events, 'RoundVoid'), [])
    assert.ok(only(events, 'Abstained').some((e) => e.site === 0 && ABSTAIN_REASONS[e.reason] === 'noDisk'))
    assert.ok(only(events, 'Contributed').every((e) => e.site !== 0))
    const borneOut = only(events, 'Witnessed').filter((e) => LARGE_ROUNDS.includes(e.round))
    assert.deepEqual([...new Set(borneOut.map((e) => e.site))].sort(), [1, 2, 3, 4, 5, 6])
    assert.equal(begun(events, 'Witnessing'), only(events, 'RoundClosed').length, 'nobody was asked for more')
    const [relieved, ...bearing] = stores.map(({ bytesIn }) => bytesIn)
    const models = only(events, 'RoundClosed').length * WEIGHTS_BYTES
    assert.ok((relieved as number) > 0.9 * models, 'it has the new models')
    assert.ok((relieved as number) < models + 0.1 * MODEL_BYTES, `and no more: ${relieved} bytes in`)
    for (const bytesIn of bearing) assert.ok(bytesIn > (relieved as number))
  })

  it('is borne out by those whose disks are too full where the others are too few', async () => {
    const full = [1, 2].map(siteId)
    const { view, events } = await play(5, 5, { disturbances: full.map(filling) }, undefined, { limits: patient })
    assert.equal(view.state, 'Finished')
    assert.deepEqual(only(events, 'RoundVoid'), [])
    assert.equal(begun(events, 'Witnessing'), only(events, 'RoundClosed').length, 'within the first limit')
    const helping = only(events, 'Witnessed').filter((e) => LARGE_ROUNDS.includes(e.round) && full.includes(e.site))
    const began = (round: number) => only(events, 'PhaseBegan').find((e) => e.round === round && e.phase === 'Witnessing')?.timestamp ?? 0
    assert.ok(helping.length > 0)
    for (const { round, timestamp, held } of helping) {
      assert.ok(timestamp >= began(round) + 30, 'not before half of the limit')
      assert.equal(held, 0b11001n, 'and then all')
    }
  })

  it('throws out what the leader and a standby agree to lie about', async () => {
    const liars = [siteId(1), siteId(2)]
    const { view, events } = await play(7, 7, { liars })
    assert.equal(view.state, 'Finished')
    const lies = only(events, 'Published').filter((e) => liars.includes(e.site))
    assert.ok(lies.length > 0)
    const discarded = only(events, 'PublicationDiscarded')
    for (const lie of lies) assert.ok(discarded.some((d) => d.round === lie.round && d.attempt === lie.attempt && d.wrongSum))
  })
})
