import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '#app/sha256.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { digest } from '#base/ids.ts'
import { rehearse } from '#core/learner/rehearse.ts'
import { Seeded } from '#core/model/seeded.ts'
import { nameModel } from '#round/study.ts'
import { generatedStudy } from '../support/studies.ts'

describe('a whole run in memory', () => {
  it('closes every round and ends with the model of the rehearsal', async () => {
    const { protocol, sites } = generatedStudy({ sites: 4 })
    const network = await simulateNetwork({ seed: 1, sites, protocol, rules: await rulesOf(protocol) })
    const run = await network.openRun()
    const view = await network.finish(run)
    const events = await network.events()
    network.stop()
    const tables = Object.fromEntries(sites.map(({ name, rows }) => [name, rows]))
    const { final } = await rehearse(protocol, tables, { sha256, random: new Seeded(1), signal: new AbortController().signal })
    assert.equal(view.state, 'Finished')
    assert.equal(view.model.root, nameModel(final, { sha256 }).root)
    assert.equal(events.filter((e) => e.kind === 'RoundVoid').length, 0)
  })

  it('is not played when it was opened on another model than the protocol makes', async () => {
    const { protocol, sites } = generatedStudy({ sites: 3, rows: 60 })
    const network = await simulateNetwork({ seed: 2, sites, protocol, rules: await rulesOf(protocol) })
    const run = await network.openRun()
    const stray = digest(`0x${'ab'.repeat(32)}`)
    const bogus = await network.world.node(network.world.site(2)).openRun(network.study, { root: stray, cid: stray })
    const view = await network.finish(run)
    const events = await network.events()
    network.stop()
    assert.equal(view.state, 'Finished')
    assert.equal(events.filter((e) => e.kind === 'Contributed' && e.run === bogus).length, 0)
    assert.ok(events.some((e) => e.kind === 'Contributed' && e.run === run))
  })
})
