import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { recordConsents } from '#app/consent/consent-record.ts'
import { withdrawAtDesk } from '#app/consent/withdraw-at-desk.ts'
import { openSiteFolder } from '#app/site/site-folder.ts'
import { approveStudy } from '#app/study/studies.ts'
import { isSignedCertificate, type SignedCertificate, signCertificate } from '#app/unlearn/certificate.ts'
import { checkCertificate } from '#app/unlearn/certificate-check.ts'
import { type UnlearnAnswer, unlearn } from '#app/unlearn/unlearn.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type RunId, runId, type StudyId } from '#base/ids.ts'
import { plain } from '#cli/output/style.ts'
import { certificateVerdictText, unlearnText } from '#cli/output/unlearn-text.ts'
import { type Hospitals, makeHospitals, PACED } from '../support/hospitals.ts'
import { generatedStudy, smallestNetwork } from '../support/studies.ts'
import { rota } from '../unit/cli/rota.ts'

// given hospitals as people have them, and a patient of one whose row was in an exact run
// ├── before the patient has withdrawn, and for one whom nobody knows, there is nothing to unlearn
// ├── afterwards a run without the record is opened; while it goes on, that is said
// ├── who agreed again and withdrew again is found under each tag; a consent that stands again is let alone
// ├── when it is over the certificate tells method, rounds and digests, and that the old model is what it was
// └── of a network that a record came to late, a study goes on from the model before it; the certificate names that, and what an attack tells before and after

const HERE = 1
const study = generatedStudy({ sites: 3, rows: 60, change: { minSites: 2, quorum: 2 } })
const { programme } = study.protocol
const patient = 'line 3'
/** Consents when the network's run is under way. All three hospitals are needed: the key is drawn once all have approved. */
const late = 'line 4'
const learner = { ...smallestNetwork('unlearn'), rounds: 5 }
const network = generatedStudy({ sites: 3, rows: 60, learner, change: { programme: 'network', lawfulBasis: 'consent' } }).protocol
let hospitals: Hospitals
let run: RunId

const call = () => ({ folder: hospitals.folders[HERE] as string, password: null, signal: AbortSignal.timeout(180_000) })
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
    assert.match(unlearnText(started, plain), /Started: run 2.*\nThis hospital stays out of it: its patients who train .* by 1,/)
    assert.deepEqual(started.keptOutBy, { patients: 1, part: 'train', least: 10 })
    await over(started.standIn?.run as RunId)
    const done = await unlearn({ ...call(), whose: { patient }, run })
    assert.equal(done.state, 'done')
    const { certificate } = JSON.parse(JSON.stringify(done)) as { certificate: SignedCertificate }
    assert.ok(isSignedCertificate(certificate))
    assert.deepEqual([certificate.method, certificate.before.run, certificate.after.run], ['fitted again from the first round', run, started.standIn?.run])
    assert.deepEqual(certificate.after.declared, [], 'one patient alone changed: this hospital stayed out')
    assert.equal(certificate.after.abstained, 'differencing')
    assert.match(certificate.says.join(' '), /took no part in it, since its patients differed by too few/)
    assert.equal(certificate.membership?.records, 1)
    assert.match(unlearnText(done, plain), /is what it was/)
    await isChecked(certificate)
    const still = await unlearn({ ...call(), whose: { patient }, run: started.standIn?.run as RunId })
    assert.equal(still.state, 'not needed')
  })

  it('finds the record under every tag that the patient had, and lets alone what stands again', async () => {
    const receipts = join(hospitals.dir, 'again')
    const again = await recordConsents({ ...call(), programme, patients: { names: [patient] }, receipts })
    const old = join(hospitals.dir, 'receipts', readdirSync(join(hospitals.dir, 'receipts')).find((name) => /^receipt-.*json$/.test(name)) ?? '')
    await assert.rejects(unlearn({ ...call(), whose: { receipt: old }, run }), (error) => isRotaError(error, 'ROTA-6030'))
    await withdrawAtDesk({ ...call(), programme, patient, receipts: undefined })
    for (const whose of [{ patient }, { receipt: old }, { receipt: again.receipts[0]?.file ?? '' }]) {
      const { state, rounds } = await unlearn({ ...call(), whose, run })
      assert.ok(state === 'done' && rounds.length > 3, 'the run was under the first of them')
    }
  })
})

describe('rota consent unlearn of a network', () => {
  it('goes back to the last model before the record, trains on without it, and certifies that', async () => {
    // All consent but one, who comes when the run is under way.
    const under = { ...call(), programme: network.programme }
    const receipts = join(hospitals.dir, 'network-receipts')
    const all = study.sites.map((site) => Array.from({ length: site.rows.train.rows + site.rows.test.rows }, (_, i) => `line ${i + 2}`))
    for (const [i, names] of all.entries()) {
      const patients = { names: names.filter((name) => i !== HERE || name !== late) }
      await recordConsents({ ...under, folder: hospitals.folders[i] as string, patients, receipts: `${receipts}-${i}` })
    }
    const id = await hospitals.publish(network)
    const old = await hospitals.openRun(id)
    await hospitals.nodes[HERE]?.until((e) => e.event === 'round' && e.story.run === old && e.story.round === 2)
    await recordConsents({ ...under, patients: { names: [late] }, receipts })
    await over(old)
    await withdrawAtDesk({ ...under, patient: late, receipts })

    const published = await unlearn({ ...call(), whose: { patient: late }, run: old })
    assert.deepEqual([published.state, published.problem], ['published', null])
    assert.match(unlearnText(published, plain), /Study \d+ makes a model without the record\. Its stewards are to approve it/)
    const next = published.standIn?.study as StudyId
    const early = await unlearn({ ...call(), whose: { patient: late }, run: old })
    assert.deepEqual([early.state, early.problem?.code], ['published', 'ROTA-1208'])
    for (const folder of hospitals.folders) await approveStudy({ ...call(), folder, study: next, stewardPassword: null })
    const started = await untilStarted(old)
    assert.equal(started.state, 'started')
    const fresh = started.standIn?.run as RunId
    await over(fresh)

    const { state, certificate } = await unlearn({ ...call(), whose: { patient: late }, run: old })
    assert.ok(state === 'done' && certificate !== null && isSignedCertificate(certificate))
    const first = certificate.before.roundsWithRecord[0] as number
    assert.ok(first > 2, 'the record came late')
    assert.deepEqual([certificate.method, certificate.checkpoint?.run], ['trained on from a model before the record', old])
    assert.equal(certificate.checkpoint?.round, first - 1, 'the last model before it')
    assert.deepEqual([certificate.before.run, certificate.after.run, certificate.after.study], [old, fresh, next])
    assert.ok(certificate.after.declared.length > 0 && certificate.before.model.root !== certificate.after.model.root)
    const { records, before: told, after: toldAfter } = certificate.membership ?? assert.fail()
    assert.ok(records === 1 && [told, toldAfter].every((area) => area !== null && area >= 0 && area <= 1))
    assert.match(unlearnText({ ...started, state, certificate }, plain), /from +round \d+ of run \d+/)
  })
})

/** By anybody who can read the chain. */
async function isChecked(certificate: SignedCertificate): Promise<void> {
  const file = join(hospitals.dir, 'certificate.json')
  const check = async (value: unknown) => {
    await writeFile(file, JSON.stringify(value))
    const where = { chain: hospitals.chain.url, contracts: hospitals.contracts, signal: AbortSignal.timeout(90_000) }
    return checkCertificate({ ...where, certificate: file, whose: { programme } })
  }
  const verdict = await check({ certificate })
  assert.deepEqual([verdict.valid, verdict.signedBy], [true, certificate.site.name])
  assert.match(certificateVerdictText(verdict, plain), /The certificate holds, signed by/)
  assert.match((await check({ ...certificate, programme: 'another' })).reason, /it was altered/)
  const { vault } = await openSiteFolder(hospitals.folders[HERE] as string, null)
  const signer = { account: vault.nodeAccount, nodeKey: fromHex(vault.nodeKey) }
  const { account: _, signature: __, ...said } = certificate
  const lies = [
    [{ after: { ...said.after, model: said.before.model } }, /run 2 did not end/],
    [{ before: { ...said.before, run: 99 } }, /run 99 did not end/],
    [{ after: { ...said.after, declared: [{ round: 1, cohortRoot: said.before.model.root }] } }, /declared other cohorts/],
    [{ tag: said.before.model.root, withdrawnAtBlock: 1 }, /not withdrawn in the block/],
  ] as const
  for (const [change, why] of lies) {
    const { valid, reason } = await check(signCertificate({ ...said, ...change } as typeof said, signer))
    assert.ok(!valid && why.test(reason), reason)
  }
  // As a patient's lawyer would, with the receipt; and without saying whose record it is.
  await writeFile(file, JSON.stringify(certificate))
  const receipts = join(hospitals.dir, 'receipts')
  const receipt = join(receipts, readdirSync(receipts).find((name) => /^receipt-.*json$/.test(name)) ?? '')
  const words = ['consent', 'verify', '--certificate', file, '--chain', hospitals.chain.url]
  const shown = await Promise.all([rota([...words, '--receipt', receipt]), rota([...words, '--contracts', hospitals.contracts])])
  assert.deepEqual(
    shown.map(({ code, stdout, stderr }) => [code, /The certificate holds|ROTA-\d+/.exec(stdout + stderr)?.[0]]),
    [
      [0, 'The certificate holds'],
      [2, 'ROTA-1006'],
    ],
  )
  for (const text of [null, [], { ...certificate, kind: 'rota/other' }]) await assert.rejects(check(text), (error) => isRotaError(error, 'ROTA-6033'))
}

/** As soon as the nodes have drawn the study's key. */
async function untilStarted(old: RunId): Promise<UnlearnAnswer> {
  for (const end = Date.now() + 90_000; ; await sleep(250)) {
    const answer = await unlearn({ ...call(), whose: { patient: late }, run: old })
    if (answer.state === 'started' || Date.now() > end) return answer
  }
}
