/**
 * A programme with terms, against a real chain and a real node
 * given two hospitals, one of which publishes terms
 * ├── anyone reads them from the chain alone; the other hospital cannot publish the next version
 * ├── a study with another lawful basis is not approved
 * ├── a consent that is recorded counts from the next step: the node puts the root there, and one more at the step after, though nothing changed
 * └── a withdrawal that a portal took and did not bring on chain is an alarm, in status, metrics and log
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RecordedConsents } from '#app/consent/consent-record.ts'
import { type ConsentStatus, consentStatus } from '#app/consent/consent-status.ts'
import type { ShownTerms } from '#app/programme/show-programme.ts'
import { openSiteFolder } from '#app/site/site-folder.ts'
import { approveStudy, publishStudy } from '#app/study/studies.ts'
import { isRotaError } from '#base/errors.ts'
import { digest } from '#base/ids.ts'
import type { Health } from '#web/health.ts'
import { type Hospitals, makeHospitals } from '../support/hospitals.ts'
import { generatedStudy, LOGISTIC } from '../support/studies.ts'
import { rota } from '../unit/cli/rota.ts'

const { sites, cohort, protocol } = generatedStudy({ sites: 2, rows: 12, learner: LOGISTIC, change: { minSites: 2, quorum: 2, maxSites: 2 } })
const signal = new AbortController().signal
/** Steps of the cadence: as short as can be, so that the test waits for two. */
const STEP_MS = 4_000

describe('a programme with terms', { timeout: 240_000 }, () => {
  let hospitals: Hospitals
  const at = (site: number) => ({ folder: hospitals.folders[site] as string, password: null, signal })
  const status = async (): Promise<ConsentStatus['programmes'][number]> =>
    (await consentStatus({ ...at(0), programme: 'heart', receipts: [] })).programmes[0] ?? assert.fail()

  async function rootsTo(epoch: number): Promise<ConsentStatus['programmes'][number]> {
    for (let tries = 0; tries < 60; tries++) {
      const now = await status()
      if ((now.root?.epoch ?? 0) >= epoch) return now
      await sleep(STEP_MS / 6)
    }
    return assert.fail(`no root of epoch ${epoch}`)
  }

  before(async () => {
    hospitals = await makeHospitals(sites, cohort.label.name)
  })
  after(() => hospitals?.stop())

  it('has terms that anyone reads from the chain alone, and one keeper', async () => {
    const file = join(hospitals.dir, 'terms.yaml')
    const drafted = await rota(['programme', 'draft', '--programme', 'heart', '--out', file, '--json'])
    assert.deepEqual([drafted.code, JSON.parse(drafted.stdout).file], [0, file])
    const publish = (site: number) => rota(['programme', 'publish', file, '--folder', hospitals.folders[site] as string, '--json'])
    assert.match((await publish(0)).stdout, /ROTA-3043/, 'nobody went through it')
    const draft = await readFile(file, 'utf8')
    await writeFile(
      file,
      draft
        .replaceAll('Fill in: ', '')
        .replace('fill-in@', 'officer@')
        .replace(/cadenceHours: \d+/, `cadenceHours: ${STEP_MS / 3_600_000}`),
    )
    const published = await publish(0)
    assert.equal(published.code, 0, published.stdout)

    const anywhere = ['--chain', hospitals.chain.url, '--contracts', hospitals.contracts]
    const shown = await rota(['programme', 'show', 'heart', ...anywhere, '--json'])
    const [terms] = (JSON.parse(shown.stdout) as { programmes: ShownTerms[] }).programmes
    assert.deepEqual([terms?.terms.version, terms?.keeper, terms?.digest], [1, sites[0]?.name, JSON.parse(published.stdout).digest])
    assert.match(terms?.terms.texts.de?.limits ?? '', /Modelle/)
    assert.match((await rota(['programme', 'show', 'heart', '--language', 'de', ...anywhere])).stdout, /Widerruf/)
    await writeFile(file, (await readFile(file, 'utf8')).replace('version: 1', 'version: 2'))
    assert.match((await publish(1)).stdout, /ROTA-5405/)
  })

  it('has no study with another lawful basis', async () => {
    const under = { ...protocol, programme: 'heart' }
    const optOut = await publishStudy(at(0), { ...under, lawfulBasis: 'opt-out' })
    await assert.rejects(approveStudy({ ...at(0), study: optOut.study, stewardPassword: null }), (error) => isRotaError(error, 'ROTA-6014'))
    const consent = await publishStudy(at(0), { ...under, lawfulBasis: 'consent' })
    await approveStudy({ ...at(0), study: consent.study, stewardPassword: null })
  })

  it('has roots at the steps of its cadence, from which consents count', async () => {
    const patients = join(hospitals.dir, 'patients.txt')
    await writeFile(patients, 'Ann\nBob\n')
    const receipts = join(hospitals.dir, 'receipts')
    const words = [
      'consent',
      'record',
      '--folder',
      hospitals.folders[0] as string,
      '--programme',
      'heart',
      '--patients',
      patients,
      '--receipts',
      receipts,
      '--json',
    ]
    const recorded = JSON.parse((await rota(words)).stdout) as RecordedConsents
    assert.deepEqual([recorded.recorded, recorded.root, recorded.problem], [2, null, null])
    assert.equal(Date.parse(recorded.countsFrom ?? '') % STEP_MS, 0)
    assert.equal((await status()).root, null, 'its time would tell when they consented')
    await hospitals.start(0)
    const first = await rootsTo(1)
    assert.deepEqual([first.granted, first.current], [2, true])
    const next = await rootsTo((first.root?.epoch ?? 0) + 1)
    assert.notEqual(next.root?.root, first.root?.root)
    assert.equal(Date.parse(next.nextRoot ?? '') % STEP_MS, 0)
  })

  it('raises an alarm when a withdrawal that was promised is not on chain in time', async () => {
    await hospitals.nodes[0]?.end('SIGTERM')
    const { consents } = await openSiteFolder(hospitals.folders[0] as string, null)
    const patient = digest(`0x${'ab'.repeat(32)}`)
    const at = new Date(Date.now() - 3 * 86_400_000).toISOString()
    await consents.append([{ kind: 'withdrawn', patient, programme: 'heart', tag: digest(`0x${'cd'.repeat(32)}`), at, by: 'card' }])
    const node = await hospitals.start(0)
    const { web } = (await node.until((e) => e.event === 'started')) as { readonly web: string }
    const problem = async () => ((await (await fetch(`${web}/healthz`)).json()) as Health).problems.find(({ code }) => code === 'ROTA-6019')
    for (let tries = 0; tries < 60 && (await problem()) === undefined; tries++) await sleep(500)
    assert.match((await problem())?.what ?? '', /^withdrawals under heart have not come into effect in time \(1\): a portal/)
    assert.match(await (await fetch(`${web}/metrics`)).text(), /^rota_late_exclusions 1$/m)
    assert.match(node.said(), /exclusion\.late/)
  })
})
