import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { connectChain, type EthersReader } from '#adapters/chain/ethers-chain.ts'
import { showModel } from '#app/model/model-show.ts'
import { privacyStatus } from '#app/privacy/status.ts'
import { reportHtml } from '#app/results/report.ts'
import { showStudy } from '#app/study/study-show.ts'
import { address, type RunId, type StudyId } from '#base/ids.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import { type Hospitals, makeHospitals, PACED, withPatients } from '../support/hospitals.ts'
import { generatedStudy, LOGISTIC } from '../support/studies.ts'

// given two hospitals in two processes, and a study with differential privacy on a real chain
// ├── its policy is set by publishing it, and stewards approve it
// ├── when one is killed between its charge and its contribution, and started again
// │   └── it contributes to that round without a second charge, and the run ends
// ├── its last round told test metrics of all, with noise
// └── what each spent and has left is told by status, by the study and by the node's metrics

const SITES = 2
const STRUCK = 1
const never = new AbortController().signal
const { protocol, sites, cohort } = generatedStudy({
  sites: SITES,
  learner: { ...LOGISTIC, maxIterations: 2 } as LearnerSpec,
  change: { privacy: { epsilon: 3, delta: 1e-4 }, minSites: SITES, quorum: SITES } as unknown as Partial<Protocol>,
})

describe('a study with differential privacy in two processes', () => {
  let hospitals: Hospitals
  let chain: EthersReader
  let study: StudyId
  let run: RunId

  before(async () => {
    const rows = sites.map((site, i) => ({ ...site, csv: withPatients(i, site.rows, cohort.label.name) }))
    hospitals = await makeHospitals(rows, cohort.label.name, PACED)
    chain = await connectChain({ url: hospitals.chain.url, contracts: address(hospitals.contracts), signer: null })
    await Promise.all(sites.map((_, site) => hospitals.start(site, site === STRUCK ? ['--drill', 'contribute'] : [])))
    study = await hospitals.publish(protocol)
    run = await hospitals.openRun(study)
  })
  after(async () => {
    await chain?.stop()
    await hospitals?.stop()
  })

  it('goes on after a death behind a charge, which is not repeated', async () => {
    const struck = hospitals.nodes[STRUCK]
    await struck?.until((e) => e.event === 'drill' && e.run === run, 180_000)
    await struck?.end('SIGKILL')
    await hospitals.start(STRUCK)
    await Promise.all(hospitals.nodes.map((node) => node?.until((e) => e.event === 'run-over' && e.run === run, 180_000)))
    const events = await chain.events(0, { run, kinds: ['Charged', 'Contributed', 'RoundClosed', 'RunStateChanged'] })
    const count = (kind: (typeof events)[number]['kind']): number => events.filter((event) => event.kind === kind).length
    // Two rounds of the fit, and that of the test metrics.
    assert.deepEqual([count('Charged'), count('Contributed'), count('RoundClosed')], [3 * SITES, 3 * SITES, 3])
  })

  it('has told test metrics of all, with noise and intervals', async () => {
    const { view } = await showModel({ folder: hospitals.folders[0] as string, password: null, signal: never }, undefined)
    const { told } = view
    assert.ok(told !== null && view.rounds.at(-1)?.stage === 'evaluation')
    const [low, high] = told.ci95?.n ?? [1, 0]
    const rows = sites.reduce((sum, site) => sum + site.rows.test.rows, 0)
    assert.ok(low < high && low < told.n && told.n < high && Math.abs(told.n - rows) < 2 * (high - low), `${told.n} for ${rows}`)
    assert.match(reportHtml(view), /all sites, noisy/)
  })

  it('tells what is spent and left', async () => {
    const folder = hospitals.folders[0] as string
    const { budgets } = await privacyStatus({ folder, all: true, signal: never })
    assert.deepEqual(
      budgets.map(({ rounds, limit }) => [rounds, limit]),
      Array.from({ length: SITES }, () => [3, 3]),
    )
    assert.equal(budgets.filter(({ name }) => name === 'patients').length, 1)
    for (const { enforced, tight, left, leftTight } of budgets) {
      assert.ok(enforced !== null && tight !== null && tight < enforced && enforced <= 3)
      assert.ok(Math.abs(left + enforced - 3) < 1e-9 && leftTight !== null && Math.abs(leftTight + tight - 3) < 1e-9)
    }
    const shown = await showStudy({ folder, study, last: undefined, signal: never })
    assert.deepEqual(
      shown.budgets?.map(({ rounds }) => rounds),
      [3, 3],
    )
    const started = await hospitals.nodes[0]?.until((e) => e.event === 'started')
    assert.ok(started?.event === 'started')
    const scraped = async (): Promise<string> => (await fetch(new URL('/metrics', started.web))).text()
    const metrics = await scraped()
    assert.match(metrics, new RegExp(`rota_privacy_epsilon_spent\\{study="${study}"\\} 2\\.`))
    const own = budgets.find(({ name }) => name === 'patients')
    const tightly = `rota_privacy_epsilon_spent_tight{study="${study}"} ${own?.tight}\nrota_privacy_epsilon_left_tight{study="${study}"} ${own?.leftTight}`
    const isTold = (): boolean => tightly.split('\n').every((line) => told.includes(line))
    let told = metrics
    for (const end = Date.now() + 60_000; !isTold() && Date.now() < end; await setTimeout(100)) told = await scraped()
    assert.ok(isTold(), told)
  })
})
