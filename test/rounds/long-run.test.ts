import assert from 'node:assert/strict'
import { it } from 'node:test'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import type { Digest } from '#base/ids.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import { JOURNAL_ROUNDS } from '#round/retention.ts'
import { generatedStudy } from '../support/studies.ts'

// given a run of 160 rounds over three hospitals
// ├── the journal holds the last rounds, and of older ones the frozen sets alone
// └── a day later no update is left, and every small sum and model is

const AVERAGING: LearnerSpec = {
  kind: 'logistic',
  algorithm: 'fedavg',
  rounds: 158,
  localSteps: 1,
  learningRate: 0.3,
  l2: 0.01,
  standardise: 'pooled',
}

it('what a site keeps of a long run is bounded', async (t) => {
  const { protocol, sites } = generatedStudy({ sites: 3, rows: 40, learner: AVERAGING })
  const net = await simulateNetwork({ seed: 5, sites, protocol, rules: await rulesOf(protocol) })
  t.after(() => net.stop())
  const view = await net.finish(await net.openRun())
  const asleep = (ms: number): Promise<void> => net.world.within(net.world.time.sleep(ms), ms + 60_000)
  await asleep(120_000)
  assert.equal(view.round.round, 160)
  for (const { journal } of net.world.sites) {
    const old = journal.filter(({ round }) => round < view.round.round - JOURNAL_ROUNDS)
    assert.deepEqual(new Set(old.map(({ kind }) => kind)), new Set(['frozen']))
    assert.ok(journal.length < view.round.round + 7 * JOURNAL_ROUNDS, `${journal.length} entries`)
  }
  const events = await net.events()
  const held = (cids: readonly Digest[]): number =>
    net.world.sites.reduce((sum, { id }) => sum + cids.filter((cid) => net.world.disks.holds(cid, id)).length, 0)
  const updates = events.flatMap((e) => (e.kind === 'Contributed' ? [e.cid] : []))
  const results = events.flatMap((e) => (e.kind === 'RoundClosed' ? [e.modelCid] : e.kind === 'Published' ? [e.sumCid] : []))
  const before = held(results)
  assert.equal(held(updates), 3 * updates.length)
  net.world.chain.advance(24 * 3600, 1)
  await asleep(120_000)
  assert.equal(held(updates), 0)
  assert.equal(held(results), before)
})
