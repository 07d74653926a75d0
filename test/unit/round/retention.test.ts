import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimAccount } from '#adapters/sim/chain/account.ts'
import { addressOf } from '#adapters/sim/hash.ts'
import { simulateNetwork } from '#app/simulated-network.ts'
import { rulesOf } from '#app/studies.ts'
import { type Digest, siteId } from '#base/ids.ts'
import { createRetention } from '#round/retention.ts'
import { generatedStudy } from '../../support/studies.ts'

// given a run that has ended
// ├── when a day has not passed, nothing is deleted
// ├── when a day has passed, updates are deleted, and small sums and models stay
// └── when a member named the protocol, a key's bundle or a sum as its update, these stay all the same

describe('retention', () => {
  it('deletes updates after a day, and keeps small sums and models', async () => {
    const { protocol, sites } = generatedStudy({ sites: 3, rows: 60 })
    let ports: Parameters<typeof createRetention>[0] | undefined
    const network = await simulateNetwork({
      seed: 1,
      sites,
      protocol,
      rules: await rulesOf(protocol),
      tell: (site) => {
        ports = site
      },
    })
    await network.finish(await network.openRun())
    assert.ok(ports !== undefined)
    const site = ports
    const events = await network.events()
    const cids = (kind: 'Contributed' | 'Published' | 'RoundClosed'): Digest[] =>
      events.flatMap((e) =>
        e.kind !== kind ? [] : e.kind === 'Contributed' ? [e.cid] : e.kind === 'Published' ? [e.sumCid] : e.kind === 'RoundClosed' ? [e.modelCid] : [],
      )
    const held = async (of: readonly Digest[]) => (await Promise.all(of.map((cid) => site.store.has(cid)))).filter((is) => is).length
    const before = await held(cids('Contributed'))
    assert.ok(before > 0)
    await createRetention(site).sweep()
    assert.equal(await held(cids('Contributed')), before)
    network.world.chain.advance(24 * 3600 + 1, 1)
    await createRetention(site).sweep()
    assert.equal(await held(cids('Contributed')), 0)
    assert.equal(await held(cids('Published')), cids('Published').length)
    assert.equal(await held(cids('RoundClosed')), cids('RoundClosed').length)
    network.stop()
  })

  it('keeps what a member only named as its update', async (t) => {
    const { protocol, sites } = generatedStudy({ sites: 4, rows: 60 })
    const bad = addressOf('node', siteId(3))
    const named: Digest[] = []
    const contribute = SimAccount.prototype.contribute
    t.mock.method(SimAccount.prototype, 'contribute', async function (this: SimAccount, ...[run, round, root, cid, cohort]: Parameters<typeof contribute>) {
      const events = await this.events(0)
      const others = events.flatMap((e) =>
        e.kind === 'StudyPublished' ? [e.protocolCid] : e.kind === 'EpochPublished' ? [e.bundle] : e.kind === 'Published' ? [e.sumCid] : [],
      )
      const other = others.find((each) => !named.includes(each))
      if (this.account !== bad || other === undefined) return contribute.call(this, run, round, root, cid, cohort)
      named.push(other)
      return contribute.call(this, run, round, root, other, cohort)
    })
    let ports: Parameters<typeof createRetention>[0] | undefined
    const network = await simulateNetwork({
      seed: 1,
      sites,
      protocol,
      rules: await rulesOf(protocol),
      tell: (site) => {
        if (site.id === siteId(0)) ports = site
      },
    })
    await network.finish(await network.openRun())
    assert.ok(ports !== undefined && named.length >= 3)
    network.world.chain.advance(24 * 3600 + 1, 1)
    await createRetention(ports).sweep()
    for (const cid of named) assert.ok(await ports.store.has(cid))
    network.stop()
  })
})
