/**
 * Canaries and participation on real processes
 * given three hospitals with nodes of their own, and a study whose limits are short for one of them
 * ├── the running node measures for the command: every site, every way between two, and a round over made-up updates; nothing is left of it
 * ├── the limits hold: study start begins a run and says what the canary said; without a canary it says that none was run
 * ├── without a node here the command measures by itself, and takes part in the round
 * ├── a member that never answers (stopped process) is one line and one error, ROTA-1402, exit 3, and the rest is kept
 * ├── limits below what was measured: study start refuses with ROTA-1401 (exit 2), doctor says so; --out writes limits that hold; --despite-canary starts
 * ├── a wrong control key, a study that this site did not approve: one error each
 * └── a run with a dead site: its round lines, the run's summary, study show, status, the printed report and audit log each say who was missing and why
 */
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CanaryOptions, canary, type ToldCanary } from '#app/canary/canary-call.ts'
import { keptCanary } from '#app/canary/canary-file.ts'
import type { NodeEvent } from '#app/node/run-node.ts'
import { readProtocol } from '#app/protocol/protocol-file.ts'
import { examine } from '#app/site/doctor.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { siteStatus } from '#app/site/site-status.ts'
import { publishStudy, startRun } from '#app/study/studies.ts'
import { type ShownStudy, showStudy } from '#app/study/study-show.ts'
import type { Participation } from '#audit/participation.ts'
import { isRotaError } from '#base/errors.ts'
import type { StudyId } from '#base/ids.ts'
import { type Hospital, type Hospitals, makeHospitals } from '../support/hospitals.ts'
import { generatedStudy, LOGISTIC } from '../support/studies.ts'
import { rota } from '../unit/cli/rota.ts'

const limits = Object.fromEntries(
  ['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, { seconds: 9, blocks: 7 }]),
) as never
const { sites, cohort, protocol } = generatedStudy({
  sites: 3,
  rows: 90,
  learner: { ...LOGISTIC, l2: 0.01 } as typeof LOGISTIC,
  change: { limits, minSites: 2, quorum: 2 },
})
const signal = new AbortController().signal

describe('canaries and participation', { timeout: 240_000 }, () => {
  let hospitals: Hospitals
  let study: StudyId
  const folder = (site: number): string => hospitals.folders[site] as string
  const names = sites.map(({ name }) => name)

  async function ask<T>(at: number, words: readonly string[], code = 0): Promise<T> {
    const ran = await rota([...words, '--folder', folder(at), '--json'])
    assert.equal(ran.code, code, `${words.join(' ')}: ${ran.stdout}${ran.stderr}`)
    return JSON.parse(ran.stdout) as T
  }
  const callAt = (at: number): CanaryOptions => ({ folder: folder(at), password: null, signal, study, waitMs: 20_000, outFile: undefined })
  /** Nodes tell each other their shares a moment after a run. */
  async function untilTold(): Promise<ShownStudy['runs'][number]['participation']> {
    for (let tries = 0; ; tries++) {
      const shown = await showStudy({ folder: folder(1), study, last: undefined, signal })
      const { participation } = shown.runs[0] as ShownStudy['runs'][number]
      if (tries > 20 || (participation.shares[0]?.told?.rounds ?? 0) >= participation.shares.length) return participation
      await sleep(500)
    }
  }
  const canaryFile = (site: number): string => join(folder(site), 'state', 'canary', `study-${study}.json`)

  before(async () => {
    hospitals = await makeHospitals(sites, cohort.label.name)
    await hospitals.startAll()
    study = await hospitals.publish(protocol)
    for (const node of hospitals.nodes) assert.ok(node !== undefined)
  })
  after(() => hospitals?.stop())

  it('are measured by the running node', async () => {
    const told = await canary(callAt(0))
    assert.deepEqual(
      told.rows.map(({ name, here, approved, problem, whyNot, sameArithmetic, route }) => [name, here, approved, problem, whyNot, sameArithmetic, route]),
      names.map((name, i) => [name, i === 0, true, null, '', true, i === 0 ? null : 'direct']),
    )
    assert.ok((told.rows[0]?.trainSeconds as number) < 1 && told.rows.slice(1).every(({ trainSeconds }) => trainSeconds === 1), 'rounded up for others')
    assert.deepEqual([told.ways.length, told.ways.every(({ bytesPerSecond, problem }) => (bytesPerSecond as number) > 0 && problem === null)], [6, true])
    assert.deepEqual([told.round?.included, told.round?.closed, told.round?.faults, told.round?.wrong], [[0, 1, 2], true, [], []])
    assert.deepEqual([told.shortfalls, told.unanswered, told.able, told.file], [[], [], 3, null])
    assert.deepEqual(JSON.parse(await readFile(canaryFile(0), 'utf8')).rows.length, 3)
    const { stdout: text, code } = await rota(['canary', String(study), '--folder', folder(1)])
    assert.equal(code, 0)
    for (const name of names) assert.match(text, new RegExp(`^${name} .*B/s, .* ms`, 'm'))
    assert.match(text, /≤ 1\.0 s/)
    assert.match(text, /^Slowest way: from /m)
    assert.match(text, /3 of 3 updates in, right sum, closed/)
    assert.match(text, /contributing .* 9 s, 7 blocks/)
    assert.doesNotMatch(text, /\u001b/, 'no colour where it is no terminal')
    for (const i of names.keys()) {
      const state = await readdir(join(folder(i), 'state'))
      assert.ok(!state.some((name) => name.startsWith('canary-round-')), state.join())
    }
  })

  it('are measured by the command where no node runs', async () => {
    await hospitals.nodes[2]?.end('SIGTERM')
    const told = await canary(callAt(2))
    assert.deepEqual([told.unanswered, told.ways.filter(({ problem }) => problem === null).length, told.able], [[], 6, 3])
    assert.deepEqual([told.round?.included, told.round?.closed, told.round?.faults], [[0, 1, 2], true, []])
    await hospitals.start(2)
  })

  it('name who never answers', async () => {
    const stopped = (hospitals.nodes[2] as Hospital).pid
    process.kill(stopped, 'SIGSTOP')
    try {
      const told = await ask<ToldCanary & { problems: { code: string; what: string }[] }>(0, ['canary', String(study), '--wait', '3'], 3)
      assert.deepEqual(
        told.problems.map(({ code, what }) => [code, what]),
        [['ROTA-1402', `${names[2]} never answered the canary, within 3 s`]],
      )
      assert.deepEqual([told.rows[1]?.problem, told.rows[1]?.whyNot, told.unanswered], [null, '', [names[2]]])
      assert.deepEqual([told.ways.length, told.round?.included, told.round?.closed], [2, [0, 1], true], 'the others are measured all the same')
    } finally {
      process.kill(stopped, 'SIGCONT')
    }
  })

  it('keep a run from starting that could not finish', async () => {
    const kept = JSON.parse(await readFile(canaryFile(0), 'utf8')) as ToldCanary
    const slow = kept.limits.map((l) => (l.phase === 'contributing' ? { ...l, needsSeconds: 40, slowest: names[1], proposed: { seconds: 80, blocks: 19 } } : l))
    const told = { ...kept, limits: slow }
    await writeFile(canaryFile(0), JSON.stringify(told))
    const refused = await ask<{ error: { code: string; what: string; remedy: string } }>(0, ['study', 'start', String(study)], 2)
    assert.equal(refused.error.code, 'ROTA-1401')
    assert.match(refused.error.what, new RegExp(`contributing has 9 s and takes 40 s at ${names[1]}`))
    assert.match(refused.error.remedy, /--despite-canary/)
    const found = await examine({ folder: folder(0), password: null, signal })
    const check = found.checks.find(({ name }) => name === `canary ${study}`)
    assert.deepEqual([check?.state, check?.code, found.ready], ['warn', 'ROTA-1401', true])
    assert.equal(found.checks.find(({ name }) => name === 'store')?.state, 'ok')
    // Another protocol's canary says nothing of this one.
    await writeFile(canaryFile(0), JSON.stringify({ ...told, protocolDigest: `0x${'00'.repeat(32)}` }))
    assert.equal(await keptCanary(sitePaths(folder(0)), study, kept.protocolDigest), null)

    const file = join(hospitals.dir, 'with-limits.yaml')
    const proposed = await canary({ ...callAt(0), outFile: file })
    assert.equal(proposed.file, file)
    const written = await readProtocol(file)
    for (const { phase, proposed: limit } of proposed.limits) assert.deepEqual(written.limits[phase], limit)
    assert.deepEqual({ ...written, limits: null }, { ...protocol, limits: null })
    await assert.rejects(canary({ ...callAt(0), outFile: file }), (error) => isRotaError(error, 'ROTA-1220'))
    await writeFile(canaryFile(0), JSON.stringify(told))
  })

  it('refuse what they should', async () => {
    const mine = await publishStudy({ folder: folder(0), password: null, signal }, { ...protocol, title: 'Not approved by anybody' })
    await assert.rejects(canary({ ...callAt(0), study: mine.study }), (error) => isRotaError(error, 'ROTA-1404'))
    await assert.rejects(canary({ ...callAt(0), study: 99 as StudyId }), (error) => isRotaError(error, 'ROTA-5301'))
    const control = join(folder(1), 'state', 'control')
    const key = await readFile(control, 'utf8')
    await writeFile(control, 'another\n')
    await assert.rejects(canary(callAt(1)), (error) => isRotaError(error, 'ROTA-1403') && error.exitCode === 3)
    await writeFile(control, key)
  })

  it('and a lost site is told by everything that shows a run', async () => {
    const told: NodeEvent[] = []
    await hospitals.nodes[2]?.end('SIGKILL')
    const started = await startRun({ folder: folder(0), password: null, signal, study, despiteCanary: true })
    assert.equal(started.canary?.shortfalls.length, 1)
    const over = (await hospitals.nodes[0]?.until((e) => e.event === 'run-over', 120_000)) as Extract<NodeEvent, { event: 'run-over' }>
    told.push(...(hospitals.nodes[0] as Hospital).events)
    const lost = new RegExp(`^${names[2]} has been missing from (\\d+) of \\1 rounds \\(never in\\): nothing came from it \\(round 1\\)`)
    assert.match(over.absences[0] ?? '', lost)
    const rounds = told.flatMap((e) => (e.event === 'round' ? [e.story] : []))
    assert.ok(
      rounds.length > 2 && rounds.every(({ absences }) => absences[0]?.startsWith(`${names[2]} (`)),
      JSON.stringify(rounds.map(({ absences }) => absences)),
    )

    const { absences, shares } = await untilTold()
    assert.match(absences[0] ?? '', lost)
    assert.deepEqual(
      shares.map(({ in: wasIn, rounds: of, missing }) => [wasIn === of, missing === of]),
      [
        [true, false],
        [true, false],
        [false, true],
      ],
    )
    assert.ok((shares[1]?.here?.bytesOut ?? 0) > 0 && shares[0]?.here === null && shares[2]?.here === null, 'its own it knows')
    assert.ok(
      (shares[0]?.told?.bytesOut ?? 0) > 0 && (shares[0]?.told?.trainSeconds ?? 0) >= 1 && (shares[0]?.told?.workSeconds ?? 0) >= 1 && shares[2]?.told === null,
      'the others tell theirs, if they are there',
    )
    const where = ['--chain', hospitals.chain.url, '--contracts', hospitals.contracts]
    const report = join(hospitals.dir, 'report.html')
    const [text, status, log, logText, model] = await Promise.all([
      rota(['study', 'show', String(study), '--folder', folder(1)]).then(({ stdout }) => stdout),
      rota(['status', '--folder', folder(1)]),
      rota(['audit', 'log', ...where, '--json']),
      rota(['audit', 'log', ...where, '--run', '1']),
      rota(['model', 'show', '--folder', folder(1), '--report', report]),
    ])
    assert.match(text, /Who did what/)
    assert.match(text, /≤ \d+(\.\d)? (s|min), told/)
    assert.match(text, /not known here/)
    assert.match(text, new RegExp(`! ${names[2]} has been missing from`))
    assert.match((await siteStatus(folder(1), signal)).absences[0]?.lines[0] ?? '', lost)
    assert.match(status.stdout, new RegExp(`! ${names[2]} has been missing from`))

    const audited = (JSON.parse(log.stdout) as { participation: (Participation & { absences: string[] })[] }).participation
    assert.deepEqual(audited.at(-1)?.absences, absences, 'an auditor reads the same')
    assert.match(logText.stdout, new RegExp(`! ${names[2]} has been missing from`))

    assert.equal(model.code, 0, model.stdout + model.stderr)
    assert.match(await readFile(report, 'utf8'), new RegExp(`<strong>${names[2]} has been missing from`))
  })
})
