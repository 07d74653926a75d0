import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { recordConsents } from '#app/consent/consent-record.ts'
import { withdrawAtDesk } from '#app/consent/withdraw-at-desk.ts'
import { isSignedCertificate, type SignedCertificate } from '#app/unlearn/certificate.ts'
import { unlearn } from '#app/unlearn/unlearn.ts'
import { isRotaError } from '#base/errors.ts'
import { type RunId, runId } from '#base/ids.ts'
import { plain } from '#cli/output/style.ts'
import { unlearnText } from '#cli/output/unlearn-text.ts'
import { type Hospitals, makeHospitals, PACED } from '../support/hospitals.ts'
import { generatedStudy } from '../support/studies.ts'
import { rota } from '../unit/cli/rota.ts'

// given hospitals as people have them, and a patient of one whose row was in an exact run
// ├── before the patient has withdrawn, and for one whom nobody knows, there is nothing to unlearn
// ├── afterwards a run without the record is opened; while it goes on, that is said
// └── when it is over the certificate tells method, rounds and digests, and that the old model is what it was

const HERE = 1
const study = generatedStudy({ sites: 3, rows: 60, change: { minSites: 2, quorum: 2 } })
const { programme } = study.protocol
const patient = 'line 3'
let hospitals: Hospitals
let run: RunId

const call = () => ({ folder: hospitals.folders[HERE] as string, password: null, signal: AbortSignal.timeout(60_000) })
const over = (which: RunId) => hospitals.nodes[HERE]?.until((e) => e.event === 'run-over' && e.run === which)

before(async () => {
  hospitals = await makeHospitals(study.sites, study.protocol.label.name, PACED)
  await hospitals.startAll()
  const id = await hospitals.publish(study.protocol)
  run = await hospitals.openRun(id)
  await over(run)
})
after(() => hospitals?.stop())

describe('rota consent unlearn', () => {
  it('refuses what is not withdrawn, or not known, and says what is missing', async () => {
    const words = ['consent', 'unlearn', '--folder', hospitals.folders[HERE] as string, '--json']
    const said = await Promise.all([rota([...words, '--run', '1']), rota([...words, '--receipt', 'a', '--patient', 'b', '--run', '1'])])
    assert.deepEqual(
      said.map(({ stdout, stderr }) => /ROTA-\d+/.exec(stdout + stderr)?.[0]),
      ['ROTA-1006', 'ROTA-1102'],
    )
    const names = join(hospitals.dir, 'agreed.txt')
    await writeFile(names, `${patient}\n`)
    await recordConsents({ ...call(), programme, patients: { file: names }, receipts: join(hospitals.dir, 'receipts') })
    await assert.rejects(unlearn({ ...call(), whose: { patient }, run }), (error) => isRotaError(error, 'ROTA-6030'))
    await assert.rejects(unlearn({ ...call(), whose: { patient: 'nobody' }, run }), (error) => isRotaError(error, 'ROTA-6031'))
    await assert.rejects(unlearn({ ...call(), whose: { patient }, run: runId(99) }), (error) => isRotaError(error, 'ROTA-5110'))
  })

  it('opens a run without the record, and certifies it once it is over', async () => {
    await withdrawAtDesk({ ...call(), programme, patient, receipts: undefined })
    const started = await unlearn({ ...call(), whose: { patient }, run })
    assert.equal(started.state, 'started')
    assert.ok(started.rounds.length > 3 && started.standIn?.run !== null)
    assert.match(unlearnText(started, plain), /Started: run 2/)
    await over(started.standIn?.run as RunId)
    const done = await unlearn({ ...call(), whose: { patient }, run })
    assert.equal(done.state, 'done')
    const { certificate } = JSON.parse(JSON.stringify(done)) as { certificate: SignedCertificate }
    assert.ok(isSignedCertificate(certificate))
    assert.deepEqual([certificate.method, certificate.before.run, certificate.after.run], ['fitted again from the first round', run, started.standIn?.run])
    assert.deepEqual(certificate.after.declared, [], 'one patient alone changed: this hospital stayed out')
    assert.equal(certificate.membership?.records, 1)
    assert.match(unlearnText(done, plain), /is what it was/)
    const still = await unlearn({ ...call(), whose: { patient }, run: started.standIn?.run as RunId })
    assert.equal(still.state, 'not needed')
  })
})
