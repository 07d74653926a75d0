/**
 * Commands of a site, against a real chain and real nodes
 * given three hospitals that finished an exact run
 * ├── status and study show tell node, rounds, leaders, and what this site moved
 * ├── doctor asks the running node and ends with ready; without it, it dials the members; data that do not fit are named
 * ├── study approve shows what a changed protocol would touch, and what changed
 * ├── model show gives the fit of the pooled rows, and what it is worth on the own rows
 * ├── model export and predict agree, row by row
 * ├── consents recorded stand on chain by their root; a stranger relays withdrawals; twice changes nothing
 * ├── the next run goes without the withdrawn; whoever has the receipt checks the site's proof of it anywhere; a forged one does not hold
 * │   └── an auditor has members drawn by lot: by a seed of their own, or a block's hash; what answers another question, or none, is refused
 * ├── the record is exported as FHIR, with the rounds that used each consent, and read again changes nothing
 * └── the desk stops one patient at once; pause and its end leave their sign
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { AuditEvent, Consent } from '#adapters/fhir/r4.ts'
import { type AuditedSample, auditSample, drawQuestion } from '#app/audit/audit-sample.ts'
import { blockSeed, type SampleCall, sampleCohort } from '#app/consent/consent-sample.ts'
import type { ConsentStatus } from '#app/consent/consent-status.ts'
import type { DeskWithdrawal } from '#app/consent/withdraw-at-desk.ts'
import { previewApproval } from '#app/protocol/approval-preview.ts'
import { sha256 } from '#app/sha256.ts'
import type { Diagnosis } from '#app/site/examination.ts'
import { publishStudy } from '#app/study/studies.ts'
import type { ShownStudy } from '#app/study/study-show.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { type Digest, roundNo, runId, type StudyId } from '#base/ids.ts'
import type { OpeningVerdict } from '#core/consent/cohort-opening.ts'
import type { CohortProof, Verdict } from '#core/consent/cohort-proof.ts'
import type { CohortSample } from '#core/consent/cohort-sample.ts'
import { binaryMetrics, scoresOf } from '#core/evaluation/metrics.ts'
import { predictorOf } from '#core/learner/predict.ts'
import { pooledTable, rehearse } from '#core/learner/rehearse.ts'
import { type RegressionResults, results } from '#core/learner/results.ts'
import type { Model } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import { readWithdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { type Hospitals, makeHospitals } from '../support/hospitals.ts'
import { generatedStudy, LOGISTIC } from '../support/studies.ts'
import { rota } from '../unit/cli/rota.ts'

const limits = Object.fromEntries(
  ['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, { seconds: 9, blocks: 7 }]),
) as never
const { sites, cohort, protocol } = generatedStudy({ sites: 3, rows: 90, learner: { ...LOGISTIC, l2: 0.01 } as typeof LOGISTIC, change: { limits } })
const signal = new AbortController().signal
const close = (a: number | null | undefined, b: number | null | undefined, within = 1e-6) =>
  assert.ok(Math.abs((a as number) - (b as number)) <= within, `${a} is not ${b}`)

describe('commands of a site', { timeout: 300_000 }, () => {
  let hospitals: Hospitals
  let study: StudyId
  let pooled: Model

  /** A command at site `at` with --json: its answer, or the error that it gave. */
  async function ask<T>(at: number, words: readonly string[], code = 0): Promise<T> {
    const ran = await rota([...words, '--folder', hospitals.folders[at] as string, '--json'])
    assert.equal(ran.code, code, `${words.join(' ')}: ${ran.stdout}${ran.stderr}`)
    return JSON.parse(ran.stdout) as T
  }
  async function play(): Promise<number> {
    const run = await hospitals.openRun(study)
    for (const node of hospitals.nodes) await node?.until((e) => e.event === 'run-over' && e.run === run)
    // Each node tells the last round before the run's end, and notes it then.
    return run
  }

  before(async () => {
    hospitals = await makeHospitals(sites, cohort.label.name)
    await hospitals.startAll()
    study = await hospitals.publish(protocol)
    await play()
    const all = pooledTable(sites.map(({ rows }) => rows))
    pooled = (await rehearse(protocol, { all }, { sha256, random: new Seeded(1), signal })).final
  })
  after(() => hospitals?.stop())

  it('status and study show tell rounds, leaders and what this site moved', async () => {
    const status = await ask<{
      site: { id: number; member: boolean }
      node: { ok: boolean; peers: number; runs: unknown[]; problems: unknown[] }
      rounds: { leader: string; state: string }[]
      runs: unknown[]
    }>(1, ['status'])
    assert.deepEqual([status.site.id, status.site.member, status.node.ok, status.node.peers, status.runs.length], [1, true, true, 2, 0])
    assert.deepEqual([status.node.runs, status.node.problems], [[], []], 'a run that ended is in no figure that raises an alarm')
    assert.ok(status.rounds.length > 2 && status.rounds.every(({ state, leader }) => state === 'closed' && sites.some(({ name }) => name === leader)))

    const shown = await ask<ShownStudy>(1, ['study', 'show', String(study)])
    assert.equal(shown.protocol?.title, protocol.title)
    assert.deepEqual(
      shown.approved,
      sites.map(({ name }) => name),
    )
    assert.deepEqual([shown.notApproved, shown.runs.length, shown.runs[0]?.state], [[], 1, 'Finished'])
    const rounds = shown.runs[0]?.rounds ?? []
    assert.ok(rounds.every(({ included, missing }) => included.length === 3 && missing.length === 0))
    const noted = rounds.filter(({ here }) => here !== null)
    assert.ok(noted.length > 0 && noted.every(({ here }) => (here?.trainMs ?? -1) >= 0 && (here?.workMs ?? 0) > 0))
    assert.equal((await ask<ShownStudy>(1, ['study', 'show', String(study), '--rounds', '2'])).runs[0]?.rounds.length, 2)
    assert.match((await rota(['study', 'show', '99', '--folder', hospitals.folders[1] as string])).stderr, /ROTA-5301/)
  })

  it('doctor ends with ready, asks the node or dials the members, and names data that do not fit', async () => {
    const found = await ask<Diagnosis>(0, ['doctor'])
    assert.equal(found.ready, true)
    const check = (name: string, of: Diagnosis = found) => of.checks.find((c) => c.name === name)
    for (const name of ['config', 'keys', 'disk', 'chain', 'membership', 'members', 'clock', 'version', `study ${study}`, 'backend'])
      assert.equal(check(name)?.state, 'ok', name)
    assert.match(check('node')?.what ?? '', /runs/)

    await hospitals.nodes[2]?.end('SIGTERM')
    const alone = await ask<Diagnosis>(2, ['doctor'])
    assert.match(check('node', alone)?.what ?? '', /does not run/)
    assert.deepEqual([check('members', alone)?.state, check('clock', alone)?.state, alone.ready], ['ok', 'ok', true])

    const data = join(hospitals.dir, 'rows-2.csv')
    const sound = await readFile(data, 'utf8')
    await writeFile(data, sound.replace(/^(train),[^,]*/m, '$1,forty'))
    const sick = await ask<Diagnosis>(2, ['doctor'], 2)
    assert.deepEqual([sick.ready, check(`study ${study}`, sick)?.code], [false, 'ROTA-3004'])
    assert.match(check(`study ${study}`, sick)?.what ?? '', /line 2, column/)
    await writeFile(data, sound)
    await hospitals.start(2)
  })

  it('a changed protocol is shown before its approval', async () => {
    const features = protocol.features.map((feature, i) => (i === 0 ? { ...feature, range: [40, 60] as const } : feature))
    const changed = await publishStudy({ folder: hospitals.folders[0] as string, password: null, signal }, { ...protocol, features })
    const preview = await previewApproval({ folder: hospitals.folders[0] as string, study: changed.study, signal })
    assert.equal(preview.changes?.since, study)
    assert.deepEqual(
      preview.changes?.list.map(({ path }) => path),
      [`features.${features[0]?.name}.range`],
    )
    assert.equal(preview.data.ready, false)
    assert.ok('problems' in preview.data && preview.data.problems[0]?.code === 'ROTA-3005' && (preview.data.columns[0]?.outOfRange ?? 0) > 0)
    const text = (await rota(['study', 'approve', String(changed.study), '--preview', '--folder', hospitals.folders[0] as string])).stdout
    assert.match(text, /What it would touch here[\s\S]*What changed[\s\S]*range/)
  })

  it('model show gives the fit of the pooled rows, and judges it on the own rows', async () => {
    interface Shown extends RegressionResults {
      readonly test: { pooled: { n: number }; sites: Record<string, { n: number; accuracy: number; auc: number; logLoss: number }> }
      readonly alone: Record<string, { own: { n: number; auc: number } }>
      readonly modelRoot: string
      readonly digests: readonly string[]
      readonly site: string
    }
    const [csv, report] = [join(hospitals.dir, 'c.csv'), join(hospitals.dir, 'r.html')]
    const shown = await ask<Shown>(1, ['model', 'show', '--csv', csv, '--report', report])
    const want = results(pooled, protocol) as RegressionResults
    shown.coef.forEach((value, j) => close(value, want.coef[j]))
    shown.raw.coef.forEach((value, j) => close(value, want.raw.coef[j], 1e-5))
    const own = sites[1] as (typeof sites)[number]
    const exact = binaryMetrics(scoresOf(own.rows.test, predictorOf(pooled, protocol) as never), own.rows.test.label)
    const judged = shown.test.sites[own.name]
    assert.deepEqual([shown.site, judged?.n, shown.digests.at(-1)], [own.name, exact.n, shown.modelRoot])
    close(judged?.auc, exact.auc)
    close(judged?.logLoss, exact.logLoss)
    assert.equal(
      shown.test.pooled.n,
      sites.reduce((sum, { rows }) => sum + rows.test.rows, 0),
    )
    assert.ok((shown.alone[own.name]?.own.auc ?? 0) > 0.3)
    assert.match(await readFile(csv, 'utf8'), /^column,mean/)
    assert.match(await readFile(report, 'utf8'), /<html/)
    const { models } = await ask<{ models: { run: number; held: boolean; root: string }[] }>(1, ['model', 'list'])
    assert.deepEqual(
      models.map(({ run, held, root }) => [run, held, root]),
      [[1, true, shown.modelRoot]],
    )
    assert.match((await rota(['model', 'show', '7', '--folder', hospitals.folders[1] as string])).stderr, /ROTA-5110/)
  })

  it('an open study says in words what it is, wherever it and its results stand', async () => {
    const open = /open: members see each other(?:'|&#39;)s updates/i
    const at = async (...args: string[]): Promise<string> => (await rota([...args, '--folder', hospitals.folders[1] as string])).stdout
    const [csv, report, model] = ['open.csv', 'open.html', 'open.json'].map((name) => join(hospitals.dir, name)) as [string, string, string]
    const told = await at('model', 'show', '--csv', csv, '--report', report)
    assert.match(told, /Open: members see each other's updates\. No differential privacy\./)
    assert.match(await at('model', 'show', '--json'), open)
    await at('model', 'export', '--out', model)
    for (const file of [csv, report, model]) assert.match(await readFile(file, 'utf8'), open, file)
    for (const list of [['model', 'list'], ['study', 'list'], ['status'], ['study', 'show', String(study)], ['study', 'approve', String(study), '--preview']])
      assert.match(await at(...list), open, list.join(' '))
  })

  it('model export and predict agree, row by row', async () => {
    const [model, data] = [join(hospitals.dir, 'model.json'), join(hospitals.dir, 'rows-0.csv')]
    await ask(0, ['model', 'export', '--out', model])
    const { regression, protocolDigest } = JSON.parse(await readFile(model, 'utf8')) as {
      protocolDigest: string
      regression: { link: string; columns: string[]; coef: number[] }
    }
    assert.deepEqual([regression.link, regression.columns.at(-1), protocolDigest.length], ['logit', '(intercept)', 66])
    const ran = await rota(['model', 'predict', '--data', data, '--folder', hospitals.folders[0] as string])
    const [head, ...lines] = ran.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(',')) as [string[], ...string[][]]
    assert.equal(head.at(-1), 'prediction')
    assert.equal(lines.length, (sites[0]?.rows.train.rows ?? 0) + (sites[0]?.rows.test.rows ?? 0))
    for (const cells of lines.slice(0, 20)) {
      const eta = regression.coef.reduce(
        (sum, coef, j) => sum + coef * (j === regression.coef.length - 1 ? 1 : Number(cells[head.indexOf(regression.columns[j] as string)])),
        0,
      )
      close(Number(cells.at(-1)), 1 / (1 + Math.exp(-eta)), 1e-9)
    }
  })

  it('consents stand on chain by their root, and withdrawals by receipt are final', async () => {
    const receipts = join(hospitals.dir, 'receipts')
    const record = ['consent', 'record', '--programme', protocol.programme, '--all', '--receipts', receipts]
    const first = await ask<{ recorded: number; root: { epoch: number; root: string }; receipts: { file: string; tag: string }[] }>(0, record)
    const patients = (sites[0]?.rows.train.rows ?? 0) + (sites[0]?.rows.test.rows ?? 0)
    assert.deepEqual([first.recorded, first.root.epoch], [patients, 1])
    assert.ok(existsSync(join(receipts, 'handover.csv')))
    assert.deepEqual((({ recorded, root }) => [recorded, root.epoch])(await ask<typeof first>(0, record)), [0, 1])

    const gone = first.receipts.slice(0, 12).map(({ file }) => file)
    const relay = ['consent', 'withdraw', '--receipt', gone.join(','), '--chain', hospitals.chain.url, '--contracts', hospitals.contracts, '--json']
    const withdrawn = JSON.parse((await rota(relay)).stdout).withdrawn as { tag: string; block: number; already: boolean }[]
    assert.ok(withdrawn.length === 12 && withdrawn.every(({ block, already }) => block > 0 && !already))
    assert.deepEqual(
      withdrawn.map(({ tag }) => tag),
      first.receipts.slice(0, 12).map(({ tag }) => tag),
    )
    const again = JSON.parse((await rota(relay)).stdout).withdrawn as typeof withdrawn
    assert.deepEqual(
      again,
      withdrawn.map((w) => ({ ...w, already: true })),
    )

    await play()
    const { programmes, receipts: told } = await ask<ConsentStatus>(0, ['consent', 'status', '--receipt', [gone[0], first.receipts[20]?.file].join(',')])
    assert.deepEqual(
      programmes.map((p) => [p.programme, p.granted, p.withdrawnOnChain, p.withdrawalsOfAll, p.current]),
      [[protocol.programme, patients - 12, 12, 12, true]],
    )
    const [out, stays] = told
    assert.equal(out?.withdrawnAtBlock, withdrawn[0]?.block)
    const inRun = (run: number, status = out) => new Set(status?.rounds.filter((r) => r.run === run).map((r) => (r.before ? 'before' : r.cohort)))
    assert.deepEqual([...inRun(1)], ['before'])
    assert.deepEqual([...inRun(2)], ['not in'])
    assert.deepEqual([...inRun(2, stays)], ['in'])
    const story = new Map(out?.history.map((entry) => [entry.what, entry]))
    assert.deepEqual([...story.keys()].sort(), ['first round without', 'granted', 'on chain', 'updates kept', 'used', 'withdrawn'])
    assert.partialDeepStrictEqual(story.get('withdrawn'), { block: withdrawn[0]?.block, road: 'relayed' })
    assert.partialDeepStrictEqual(story.get('first round without'), { run: 2, round: 1 })
    assert.partialDeepStrictEqual(story.get('on chain'), { epoch: 1, root: first.root.root })
    assert.deepEqual([out?.countersignedBy, out?.inclusionHolds], [sites[0]?.name, true])
    assert.deepEqual(stays?.history.map(({ what }) => what).includes('withdrawn'), false)
    assert.match(await readFile((gone[0] ?? '').replace('.json', '.html'), 'utf8'), /<html lang="en">[\s\S]*Receipt of your consent/)
    const shown = async (receipt: string | undefined, run: number) => {
      const proof = join(hospitals.dir, `proof-${run}.json`)
      await writeFile(proof, JSON.stringify(await ask(0, ['consent', 'prove', '--receipt', receipt ?? '', '--run', `${run}`, '--round', '1'])))
      // Anywhere: with no folder, no account, and the network that the receipt names.
      const { stdout, code } = await rota(['consent', 'verify', '--receipt', receipt ?? '', '--proof', proof, '--chain', hospitals.chain.url, '--json'])
      return { ...(JSON.parse(stdout) as Verdict), code, proof }
    }
    const gonePart = await shown(gone[0], 2)
    assert.deepEqual([gonePart.valid, gonePart.state, gonePart.code], [true, 'not in the declared cohort', 0])
    assert.match(gonePart.reason, /withdrawn in block \d+; the round opened in block \d+/)
    const stayed = await shown(first.receipts[20]?.file, 2)
    assert.deepEqual([stayed.valid, stayed.state, stayed.code], [true, 'in the declared cohort', 0])
    const before = await shown(first.receipts[20]?.file, 1)
    assert.deepEqual([before.valid, before.state], [true, 'in the declared cohort'])
    assert.match(before.reason, /under opt-out, before this consent/)

    const forged = JSON.parse(await readFile(gonePart.proof, 'utf8')) as CohortProof
    await writeFile(gonePart.proof, JSON.stringify({ ...forged, secret: forged.secret.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }))
    const verify = ['consent', 'verify', '--receipt', gone[0] ?? '', '--proof', gonePart.proof, '--chain', hospitals.chain.url, '--json']
    const refused = await rota(verify)
    assert.deepEqual([refused.code, (JSON.parse(refused.stdout) as Verdict).valid], [1, false])
    const opening = join(hospitals.dir, 'cohort.json')
    await writeFile(opening, JSON.stringify(await ask(0, ['consent', 'open', '--run', '2', '--round', '1'])))
    const at = ['--opening', opening, '--programme', protocol.programme, '--chain', hospitals.chain.url, '--contracts', hospitals.contracts, '--json']
    const audited = await rota(['audit', 'cohort', ...at])
    const { holds, members, withoutConsent, withdrawn: gone12 } = JSON.parse(audited.stdout) as OpeningVerdict
    assert.deepEqual([holds, members, withoutConsent, gone12, audited.code], [true, patients - 12, 0, 0, 0])
    await writeFile(opening, JSON.stringify(await ask(0, ['consent', 'open', '--run', '1', '--round', '1'])))
    assert.equal((await rota(['audit', 'cohort', ...at])).code, 1, 'before the consents: used under opt-out')
    assert.equal((await rota(['audit', 'cohort', '--opt-out', ...at])).code, 0)
    await byLot()

    await writeFile(gonePart.proof, '{}')
    assert.match((await rota(verify)).stdout, /ROTA-6012/)
    assert.match(
      (await rota(['consent', 'prove', '--folder', hospitals.folders[1] as string, '--receipt', gone[0] ?? '', '--run', '2', '--round', '1'])).stderr,
      /ROTA-6009/,
    )
    assert.match(
      (await rota(['consent', 'prove', '--folder', hospitals.folders[0] as string, '--receipt', gone[0] ?? '', '--run', '9', '--round', '1'])).stderr,
      /ROTA-6010/,
    )
  })

  async function byLot(): Promise<void> {
    const [file, questioned] = [join(hospitals.dir, 'sample.json'), join(hospitals.dir, 'question.json')]
    const where = { url: hospitals.chain.url, contracts: hospitals.contracts, signal }
    const told = ['--chain', hospitals.chain.url, '--contracts', hospitals.contracts, '--json']
    const audit = { ...where, sample: file, known: { programme: protocol.programme } }
    const toSite = (at: number, asked: SampleCall['asked']) => sampleCohort({ folder: hospitals.folders[at] as string, password: null, signal, asked })
    const drawn = await rota(['audit', 'draw', '--site', '0', '--run', '2', '--round', '1', '--draws', '60', ...told])
    await writeFile(questioned, drawn.stdout)
    const sample = await ask<CohortSample>(0, ['consent', 'open', '--question', questioned])
    await writeFile(file, JSON.stringify(sample))
    const seen = await rota(['audit', 'cohort', '--sample', file, '--question', questioned, '--store', hospitals.folders[1] as string, ...told])
    const { holds, members, leastFound, coinBlock } = JSON.parse(seen.stdout) as AuditedSample
    assert.deepEqual([seen.code, holds, members > 20, leastFound < 0.15, coinBlock], [0, true, true, true, null])

    // Drawn by a block that nobody chose: anyone can check it, and need ask nobody.
    const byBlock = { run: runId(2), round: roundNo(1), draws: 20 }
    await writeFile(file, JSON.stringify(await toSite(0, byBlock)))
    const checked = await auditSample({ ...audit, asked: { draws: 20 } })
    assert.deepEqual([checked.holds, checked.drawn, (checked.coinBlock ?? 0) > 0], [true, 20, true])
    await writeFile(file, JSON.stringify(await toSite(0, { ...byBlock, run: runId(1) })))
    const before = await auditSample({ ...audit, asked: { draws: 20 } })
    assert.deepEqual([before.holds, before.withoutConsent], [false, before.members], 'before the consents: used under opt-out')

    const refused = (code: ErrorCode, work: Promise<unknown>) => assert.rejects(work, (error) => isRotaError(error, code))
    await refused('ROTA-6044', auditSample({ ...audit, asked: { draws: 21 } }))
    await refused('ROTA-6042', auditSample({ ...audit, asked: { draws: 20 }, known: { programme: 'another' } }))
    await refused('ROTA-6037', auditSample({ ...audit, asked: questioned }))
    await writeFile(file, JSON.stringify(sample))
    await refused('ROTA-6038', auditSample({ ...audit, asked: { draws: 60 } }))
    await refused('ROTA-6041', toSite(1, questioned))
    const question = { ...where, site: 0, run: 2, round: 1, draws: 5 }
    await refused('ROTA-6039', drawQuestion({ ...question, site: 9 }))
    await refused('ROTA-6010', drawQuestion({ ...question, run: 9 }))
    const head = async () => ({ number: 12, hash: sample.seed as Digest, timestamp: 0 })
    await refused('ROTA-6040', blockSeed({ head, blockHash: async () => sample.seed as Digest }, 5))
    await writeFile(questioned, '{}')
    await refused('ROTA-6036', auditSample({ ...audit, asked: questioned }))
    await writeFile(file, '{}')
    await refused('ROTA-6035', auditSample({ ...audit, asked: { draws: 60 } }))
  }

  it('the record is FHIR for who may read it: how each consent stands, and each round that used it', async () => {
    const out = join(hospitals.dir, 'record.json')
    const written = await ask<{ consents: number; pseudonyms: number }>(0, ['consent', 'export', '--programme', protocol.programme, '--fhir', '--out', out])
    const patients = (sites[0]?.rows.train.rows ?? 0) + (sites[0]?.rows.test.rows ?? 0)
    assert.deepEqual([written.consents, written.pseudonyms], [patients, 0])
    const resources = (JSON.parse(await readFile(out, 'utf8')) as { entry: { resource: Consent | AuditEvent }[] }).entry.map(({ resource }) => resource)
    assert.equal(resources.filter((one) => one.resourceType === 'Consent' && one.status === 'inactive').length, 12)
    const used = resources.filter((one): one is AuditEvent => one.resourceType === 'AuditEvent' && one.action === 'E')
    const sizes = (run: string) =>
      used.filter(({ entity }) => entity[0]?.detail?.some((d) => d.type === 'run' && d.valueString === run)).map((e) => e.entity.length)
    assert.ok(sizes('1').length > 2 && sizes('1').every((size) => size === patients))
    assert.ok(sizes('2').length > 2 && sizes('2').every((size) => size === patients - 12))
    const back = await ask<{ unchanged: number; refused: number }>(0, ['consent', 'import', '--programme', protocol.programme, '--fhir', out])
    assert.deepEqual([back.unchanged, back.refused], [patients, 0])
  })

  it('the desk stops one patient at once; pause leaves its sign', async () => {
    const desk = ['consent', 'withdraw', '--programme', protocol.programme, '--patient', 'line 3']
    const done = await ask<DeskWithdrawal>(1, desk)
    assert.deepEqual([done.tag, done.inData], [null, true])
    const { file, sheet, receipt } = done.confirmation
    assert.deepEqual(readWithdrawalReceipt(await readFile(file, 'utf8')), receipt)
    assert.ok(receipt.seal !== null && (await readFile(sheet, 'utf8')).includes(receipt.seal.signature))
    assert.match((await rota([...desk, '--folder', hospitals.folders[1] as string])).stderr, /ROTA-6004/)
    const { programmes } = await ask<ConsentStatus>(1, ['consent', 'status'])
    assert.deepEqual([programmes[0]?.withdrawnHere, programmes[0]?.granted], [1, 0])

    const sign = join(hospitals.folders[1] as string, 'state', 'resting')
    await ask(1, ['pause'])
    assert.ok(existsSync(sign))
    assert.equal((await ask<{ site: { resting: boolean } }>(1, ['status'])).site.resting, true)
    await ask(1, ['pause', '--off'])
    assert.ok(!existsSync(sign))
  })
})
