import assert from 'node:assert/strict'
import { it } from 'node:test'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, siteId } from '#base/ids.ts'
import { generatedStudy } from '../support/studies.ts'

// given an exact run, and a site that has contributed and lost the way to the epoch's key
// └── when a patient there withdraws, the site halts the run all the same

it('an exact run is halted by a site that cannot have its key', async (t) => {
  const { protocol, sites } = generatedStudy({ sites: 4, rows: 40 })
  const net = await simulateNetwork({ seed: 3, sites, protocol, rules: await rulesOf(protocol) })
  t.after(() => net.stop())
  const site = net.world.site(siteId(3))
  const run = await net.openRun()
  const until = (isSo: () => Promise<boolean>) =>
    net.world.within(
      (async () => {
        while (!(await isSo())) await net.world.time.sleep(50)
      })(),
      600_000,
    )
  await until(async () => site.journal.some(({ kind }) => kind === 'contributed'))
  net.world.crash(site)
  t.mock.method(site.vault, 'unwrap', () => {
    throw new RotaError('ROTA-1312', { wraps: 4, mine: 0 })
  })
  site.cohort.withdrawHere(site.cohort.tags.train[0] as Digest)
  net.world.restart(site)
  assert.equal((await net.finish(run)).state, 'Halted')
})
