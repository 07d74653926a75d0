import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { digestOf, sha256 } from '#adapters/sim/hash.ts'
import { SimJournal } from '#adapters/sim/journal.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { roundStories } from '#app/node/round-story.ts'
import { participationOf } from '#audit/participation.ts'
import { readLog } from '#audit/run-log.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { type Digest, type RoundNo, roundNo, runId, ZERO_DIGEST } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { addVectors } from '#core/ring/add.ts'
import type { AttestStatus, ChainEvent, StudyRules } from '#ports/chain.ts'
import { followLineage } from '#round/lineage.ts'
import { refusedSets } from '#round/masking/masked-round.ts'
import { createRetention } from '#round/retention.ts'
import { standingEnds } from '#round/round-ends.ts'
import { disputeSum } from '#round/steps/dispute.ts'

/*
  a masked run whose second round closed on a wrong sum, and whose third is open
  └── when a site disputes the second round
      ├── the run's lineage is that of before, and goes on with what the round leads to when it is published again; so for an auditor
      ├── when it is refused then, what repeats it knows which set that was
      ├── nothing that the wrong sum led to is a model of the run, and no copy of it is kept
      ├── a run that this had finished goes on
      ├── a run that was halted meanwhile stays halted, and stands at the model before
      ├── a run is over when every publication of its set is thrown out
      ├── it stays over a pause when nobody publishes it, who let it pass is told, and the first place may publish again
      └── a log that shows a dispute when the round could not be disputed any more was made by no contract
*/
const signal = new AbortController().signal
const run = runId(1)
const key = new Uint8Array(32).fill(7)
const DAY_S = 24 * 3600
const RULES: StudyRules = {
  minSites: 5,
  quorum: 4,
  maxRounds: 9,
  wordBits: 64,
  slices: 1,
  mode: 'masked',
  exact: true,
  limits: Array.from({ length: 5 }, () => ({ seconds: 40, blocks: 40 })),
  arithmeticVersion: digestOf('golden'),
}

const update = (site: number, round: number): Uint8Array =>
  new Uint8Array(Buffer.concat([createHash('sha512').update(`${site}/${round}`).digest(), Buffer.alloc(960)]))
const model = (name: string) => ({ root: digestOf('root', name), cid: digestOf('cid', name) })
const [INITIAL, FIRST, WRONG, TRUE] = ['initial', 'first', 'wrong', 'true'].map(model) as [Model, Model, Model, Model]
type Model = ReturnType<typeof model>

/** A network of five sites; what each part of a round takes, by the hands of all. */
async function scene() {
  const world = SimWorld.create({ seed: 1, sites: 5, faults: NO_FAULTS, chain: { latencyMs: [1, 1] } })
  const study = await world.publishStudy(digestOf('protocol'), digestOf('protocol cid'), RULES)
  await world.node(world.site(0)).publishEpoch(study, 0, digestOf('key'), digestOf('bundle'))
  await world.node(world.site(0)).openRun(study, INITIAL)
  const sites = world.sites.map((site) => world.start(site))
  const site = (id: number): SimPorts => sites[id] as SimPorts
  const view = () => site(0).chain.run(run)
  const put = (by: SimPorts, bytes: Uint8Array, kind: 'update' | 'sum') => by.store.put(bytes, outlineOf(bytes, sha256), kind, key, signal)
  const sums: Digest[] = []

  async function giveKeys(): Promise<void> {
    const { round } = await view()
    for (const { id, chain } of sites) await chain.key(run, round.round, digestOf('deal', id), digestOf('deal cid', id), bitmapOf([]), '0x')
    for (const { chain } of sites) await chain.justify(run, round.round, '0x')
  }

  async function freeze(): Promise<void> {
    await giveKeys()
    const { round } = await view()
    for (const by of sites) {
      const { root, cid } = await put(by, update(by.id, round.round), 'update')
      await by.chain.contribute(run, round.round, root, cid, digestOf('cohort'))
    }
    for (const place of [0, 1])
      await site(round.rota[(round.turn + place) % 5] as number).chain.witness(run, round.round, 0, bitmapOf(sites.map(({ id }) => id)))
  }

  /** The first place that may publishes the sum of the frozen set, or another; all but one attest the model. @returns the round as they saw it */
  async function end(result: Model, status: AttestStatus = 'continue', spoil = (sum: Uint8Array): Uint8Array => sum) {
    const { round } = await view()
    const truth = addVectors(sites.map(({ id }) => ({ ring: true, wordBits: 64, bytes: update(id, round.round) }))).bytes
    const publisher = site(round.rota[(round.turn + round.firstPlace) % 5] as number)
    const { root, cid } = await put(publisher, spoil(truth), 'sum')
    sums.push(cid)
    await publisher.chain.publish(run, round.round, round.attempt, root, cid)
    const seen = await view()
    for (const by of sites.slice(0, 3)) await by.chain.attest(run, round.round, round.attempt, result, status, digestOf('own', by.id))
    return seen
  }

  /** Of a round that has closed, as it stood when it was being attested. */
  async function dispute(closed: Awaited<ReturnType<typeof view>>): Promise<void> {
    const { chain, store } = site(3)
    assert.equal(await disputeSum({ chain, store, sha256 }, { rules: RULES, view: closed, key, cut: 1 }, signal), true)
  }

  /** Plays round 1, and round 2 on a wrong sum. @returns round 2 as it was attested */
  async function playWrong(status: AttestStatus = 'continue') {
    await freeze()
    await end(FIRST)
    await freeze()
    const attested = await end(WRONG, status, (sum) => sum.with(70, 1 ^ (sum[70] as number)))
    assert.deepEqual((await view()).model, WRONG)
    return attested
  }

  return { world, site, view, giveKeys, freeze, end, dispute, playWrong, sums, events: () => site(0).chain.events(0) }
}

const models = (events: readonly ChainEvent[]): readonly Digest[] => {
  const { models, fault } = followLineage(events, INITIAL.root)
  assert.equal(fault, null)
  return models.map(({ root }) => root)
}
const stateOf = (events: readonly ChainEvent[], round: RoundNo | number) => [
  roundStories(events, run).find((story) => story.round === round)?.state,
  participationOf(events, run).rounds.find((part) => part.round === round)?.state,
]

describe('a round that closed on a wrong sum, and is disputed', () => {
  it('is refused when it is published again: its set is the one that a repeat looks at', async () => {
    const net = await scene()
    const attested = await net.playWrong()
    await net.dispute(attested)
    await net.end(model('refused'), 'refused')
    const { chain } = net.site(0)
    assert.deepEqual(await refusedSets({ run, site: { chain } }), [attested.round.included])
    await net.freeze()
    await net.end(TRUE)
    assert.deepEqual(await refusedSets({ run, site: { chain } }), [])
  })

  it('is no part of the lineage, and is again once it is published anew', async () => {
    const net = await scene()
    const attested = await net.playWrong()
    assert.deepEqual(models(await net.events()), [INITIAL.root, FIRST.root, WRONG.root])
    await net.giveKeys()
    await net.site(1).chain.contribute(run, roundNo(3), digestOf('r'), digestOf('c'), digestOf('cohort'))
    await net.dispute(attested)
    const struck = await net.events()
    assert.deepEqual((await net.view()).model, FIRST)
    assert.deepEqual(models(struck), [INITIAL.root, FIRST.root])
    assert.deepEqual(
      [stateOf(struck, 2), stateOf(struck, 3)],
      [
        ['open', 'open'],
        ['void', 'void'],
      ],
    )
    await net.end(TRUE)
    await net.freeze()
    const after = await net.events()
    assert.deepEqual(models(after), [INITIAL.root, FIRST.root, TRUE.root])
    assert.deepEqual([(await net.view()).model, (await net.view()).round.round], [TRUE, 4])
    assert.deepEqual(stateOf(after, 2), ['closed', 'closed'])
    const ends = readLog(after).runs[0]?.rounds.map(({ ended }) => (ended !== null && 'modelRoot' in ended ? ended.modelRoot : null))
    assert.deepEqual(ends, [FIRST.root, TRUE.root, null, null])
  })

  it('leaves nothing that counts as a model, or is kept', async () => {
    const net = await scene()
    await net.dispute(await net.playWrong())
    await net.end(TRUE)
    await net.freeze()
    const events = await net.events()
    assert.deepEqual(
      standingEnds(events).map((end) => ('modelRoot' in end ? end.modelRoot : null)),
      [FIRST.root, null, TRUE.root],
    )
    const named: ReadonlySet<Digest>[] = []
    const { chain, store, host } = net.site(2)
    const retention = createRetention({ chain, store, host, journal: new SimJournal([]), dropOrphans: async (of) => named.push(of) })
    await retention.sweep()
    const [first, wrong, right] = net.sums as [Digest, Digest, Digest]
    for (const cid of [INITIAL.cid, FIRST.cid, TRUE.cid, first, right]) assert.ok(named[0]?.has(cid))
    for (const cid of [WRONG.cid, wrong]) assert.ok(!named[0]?.has(cid))
    const updates = events.flatMap((e) => (e.kind === 'Contributed' && e.site === 2 && e.round <= 2 ? [e.cid] : []))
    assert.equal(updates.length, 2)
    for (const cid of updates) assert.ok(await store.has(cid))
    net.world.chain.advance(DAY_S, 1)
    await retention.sweep()
    for (const cid of updates) assert.ok(!(await store.has(cid)))
  })

  it('lets the run that it had finished go on', async () => {
    const net = await scene()
    const attested = await net.playWrong('finished')
    assert.equal((await net.view()).state, 'Finished')
    await net.dispute(attested)
    assert.deepEqual([(await net.view()).state, (await net.view()).model], ['Active', FIRST])
    await net.end(TRUE, 'finished')
    assert.deepEqual(models(await net.events()), [INITIAL.root, FIRST.root, TRUE.root])
    assert.deepEqual([(await net.view()).state, (await net.view()).model], ['Finished', TRUE])
  })

  it('leaves a halted run halted, at the model before', async () => {
    const net = await scene()
    const attested = await net.playWrong()
    await net.site(1).chain.halt(run, 'cohortChanged')
    await net.dispute(attested)
    const events = await net.events()
    assert.deepEqual([(await net.view()).state, (await net.view()).model], ['Halted', FIRST])
    assert.deepEqual(models(events), [INITIAL.root, FIRST.root])
    assert.deepEqual(
      [stateOf(events, 2), stateOf(events, 3)],
      [
        ['halted', 'halted'],
        ['halted', 'halted'],
      ],
    )
  })

  it('is over when every publication of its set is thrown out, as many as can be counted', async () => {
    const net = await scene()
    await net.freeze()
    for (let row = 1; row <= 48; row++) {
      for (let attempt = 0; attempt < 5; attempt++) await net.end({ root: ZERO_DIGEST, cid: ZERO_DIGEST }, 'wrongSum')
      assert.equal((await net.view()).state, row < 48 ? 'Paused' : 'Ended')
      if (row < 48) for (const site of [0, 1, 2, 3]) await net.site(site).chain.ready(run)
    }
    const events = await net.events()
    assert.deepEqual([(await net.view()).state, (await net.view()).model], ['Ended', INITIAL])
    assert.deepEqual([models(events), stateOf(events, 1)], [[INITIAL.root], ['halted', 'halted']])
  })

  it('tells who let it pass when nobody publishes it again, and begins anew after the pause', async () => {
    const net = await scene()
    const attested = await net.playWrong()
    await net.dispute(attested)
    const told = async (round: number) => participationOf(await net.events(), run).rounds.find((part) => part.round === round)?.passedOver
    const place = (k: number) => attested.round.rota[(attested.round.turn + k) % 5]
    const limits = async () => {
      for (let third = 0; third < 5; third++) net.world.chain.advance(14, 14)
      await net.site(0).chain.tick(run)
    }
    await limits()
    assert.equal((await net.view()).state, 'Paused')
    const missed = [1, 2, 3, 4].map(place)
    assert.deepEqual([await told(2), await told(3)], [missed, []])
    for (const site of [0, 1, 2, 3]) await net.site(site).chain.ready(run)
    await limits()
    assert.equal((await net.view()).state, 'Paused')
    assert.deepEqual(new Set(await told(2)), new Set([...missed, place(0)]))
    for (const site of [0, 1, 2, 3]) await net.site(site).chain.ready(run)
    await limits()
    assert.deepEqual([(await net.view()).state, await told(3)], ['Paused', []])
  })

  it('cannot be disputed by a log that no contract made', async () => {
    const net = await scene()
    await net.dispute(await net.playWrong())
    await net.end(TRUE)
    await net.freeze()
    const events = await net.events()
    const disputed = events.find((e) => e.kind === 'Disputed') as ChainEvent
    for (const round of [1, 2, 7]) {
      const { models: left, fault } = followLineage([...events, { ...disputed, round: roundNo(round) } as ChainEvent], INITIAL.root)
      assert.match(fault ?? '', /disputed when it could not be/)
      assert.deepEqual(left.at(-1)?.root, TRUE.root)
    }
    const { models: hidden } = followLineage(
      events.filter((e) => e.kind !== 'Disputed'),
      INITIAL.root,
    )
    assert.ok(!hidden.some(({ root }) => root === TRUE.root), 'who hides the dispute gets no further')
  })
})
