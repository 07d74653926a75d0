import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { PrivacyEvidence } from '#app/privacy-audit/audit-privacy.ts'
import { promiseOf } from '#app/privacy-audit/evidence.ts'
import { conclusionOf, evidencePage } from '#app/privacy-audit/evidence-tables.ts'
import { askPrivacy } from '#app/privacy-audit/privacy-question.ts'
import { evidenceSectionOf, readEvidence } from '#app/privacy-audit/read-evidence.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { ZERO_DIGEST } from '#base/ids.ts'
import { toJson } from '#cli/output/output.ts'
import { evidenceText } from '#cli/output/privacy-evidence-text.ts'
import { plain } from '#cli/output/style.ts'
import type { LearnerSpec, PrivacySpec } from '#core/protocol/protocol.ts'
import { generatedStudy, LOGISTIC } from '../support/studies.ts'
import { audited, rowOf } from './support/audited.ts'

/*
  rota audit privacy, on exact learners
  ├── given noise and masks: each attack works without them, and stays under its ceiling with them
  ├── given a promise that no attack was asked about: no clearance, and what was left out is listed
  ├── given noise alone, masks alone, or neither: what nobody promised is told as not promised
  ├── given less noise than the study says: canaries and membership show it
  ├── given an attack that is too weak: no clearance
  ├── given a question that makes no sense: one error
  └── given evidence in a file: it reads as it was written, and is refused when it is damaged or about another protocol
*/
const PROMISE = { epsilon: 1, delta: 1e-4 }
const noted = ({ found }: PrivacyEvidence): string => found.map((row) => `${row.attack}, ${row.evidenced}`).join('\n')

describe('a study with masks and noise', () => {
  it('is attacked in vain, and not without them', async (t) => {
    const evidence = await audited({
      mode: 'masked',
      privacy: PROMISE,
      models: 40,
      attacks: ['inversion', 'loss', 'likelihood', 'property', 'canary', 'differencing'],
    })
    t.diagnostic(noted(evidence))
    assert.equal(evidence.found.length, 7)
    for (const row of evidence.found) {
      assert.equal(row.verdict, 'under its ceiling', row.evidenced)
      assert.ok(row.unprotected.value > (row.protected?.value ?? 0), row.attack)
    }
    assert.ok(evidence.holds)
    assert.equal(conclusionOf(evidence), 'Every attack that was tried works without protection; what is promised stays under its ceiling.')
    const text = evidenceText(evidence, null, plain)
    for (const words of ['declared  ', 'Gradient inversion', 'epsilon 1 at delta 1e-4', conclusionOf(evidence)]) assert.ok(text.includes(words), words)
    const row = rowOf(evidence, 'inversion')
    assert.ok(row.unprotected.low > 0.99 && (row.protected?.high ?? 1) < 0.2)
    assert.ok((rowOf(evidence, 'canary').protected?.value ?? 9) < 1)
    assert.match(row.declared, /^masks/)
    assert.match(rowOf(evidence, 'loss').declared, /^epsilon 1 at delta 1e-4 a patient/)
    assert.match(rowOf(evidence, 'loss').enforced, /^on chain: no contribution beyond epsilon 1/)
    assert.match(evidencePage(evidence), /<h2>Privacy: declared, enforced, evidenced<\/h2>/)
  })
})

describe('an epsilon that no attack was asked about', () => {
  it('is told as not measured, and gives no clearance', async () => {
    const evidence = await audited({ mode: 'masked', privacy: PROMISE, attacks: ['inversion'] })
    assert.equal(rowOf(evidence, 'inversion').verdict, 'under its ceiling')
    assert.equal(evidence.holds, false)
    assert.equal(conclusionOf(evidence), 'No clearance: epsilon 1 was not measured (loss, likelihood or canary).')
    const text = evidenceText(evidence, null, plain)
    assert.ok(text.includes('Not asked for: matching, loss, likelihood, property, canary, differencing.'))
  })

  it('is what all sites add together where noise is distributed', () => {
    const { protocol } = generatedStudy({ sites: 5, rows: 40, learner: LOGISTIC, change: {} })
    const privacy = { epsilon: 1, delta: 1e-4, noise: 6, colluders: 2 }
    const saying = (place: 'local' | 'distributed') => promiseOf({ ...protocol, privacy: { ...privacy, place } as PrivacySpec }).declared
    assert.equal(saying('local'), 'epsilon 1 at delta 1e-4 a patient, by noise of 6 at each site')
    assert.match(saying('distributed'), /noise of 6 in the sum: each site adds its share .* at most 2 members .* the smallest set$/)
    assert.doesNotMatch(saying('distributed'), /at each site/)
  })
})

describe('a study without', () => {
  it('any protection is told so, line by line', async () => {
    const evidence = await audited({ attacks: ['inversion', 'loss', 'property', 'canary', 'differencing'] })
    assert.deepEqual(
      evidence.found.map(({ attack, verdict }) => [attack, verdict]),
      [
        ['inversion', 'nothing promised'],
        ['loss', 'nothing promised'],
        ['property', 'nothing promised'],
        ['canary', 'nothing promised'],
        ['differencing', 'under its ceiling'],
      ],
    )
    assert.equal(evidence.holds, false)
    assert.equal(rowOf(evidence, 'canary').declared, 'nothing: no differential privacy')
    assert.match(
      conclusionOf(evidence),
      /^No clearance: the study promises no protection\. Nothing is promised against: .*, Canaries\. Open: members see each other's updates\. No differential privacy\.$/,
    )
  })

  it('noise hides vectors, and not what the model says of a patient', async () => {
    const evidence = await audited({ mode: 'masked', attacks: ['inversion', 'loss', 'property'] })
    assert.deepEqual(
      evidence.found.map(({ verdict }) => verdict),
      ['under its ceiling', 'nothing promised', 'under its ceiling'],
    )
    assert.equal(evidence.holds, true)
    assert.match(conclusionOf(evidence), /Nothing is promised against: Membership by loss\. No differential privacy\.$/)
  })

  it('masks hides a patient by noise, and not what a cohort has in common', async () => {
    const evidence = await audited({ privacy: PROMISE, attacks: ['inversion', 'property'] })
    assert.deepEqual(
      evidence.found.map(({ verdict }) => verdict),
      ['under its ceiling', 'nothing promised'],
    )
  })

  it('enough noise for its promise is found out', async (t) => {
    const evidence = await audited({ privacy: PROMISE, noise: 0.05, trials: 100, attacks: ['canary', 'inversion'] })
    t.diagnostic(noted(evidence))
    const canary = rowOf(evidence, 'canary')
    assert.equal(canary.verdict, 'over its ceiling')
    assert.ok((canary.protected?.value ?? 0) > 1)
    assert.equal(rowOf(evidence, 'inversion').verdict, 'over its ceiling')
    assert.equal(evidence.holds, false)
  })

  it('enough attempts is not cleared: twenty trainings cannot show an epsilon of 1', async () => {
    const row = rowOf(await audited({ privacy: PROMISE, trials: 20, attacks: ['canary'] }), 'canary')
    assert.equal(row.verdict, 'the attack failed')
    assert.match(row.note, /^20 trainings, half of them with the canary, which can show an epsilon of 0\.\d+ at most$/)
    assert.match(row.evidenced, /^nothing: the attack failed without protection too/)
  })
})

describe('other exact learners', () => {
  const LINEAR: LearnerSpec = { ...LOGISTIC, kind: 'linear' }
  it('of statistics: rows and differences are shown without noise, and are not with it; membership is not a question', async () => {
    const evidence = await audited({ learner: { kind: 'statistics', bins: 10 }, privacy: PROMISE, attacks: ['inversion', 'loss', 'canary', 'differencing'] })
    assert.deepEqual(
      evidence.found.map(({ attack, verdict }) => [attack, verdict]),
      [
        ['inversion', 'under its ceiling'],
        ['differencing', 'under its ceiling'],
      ],
    )
    assert.deepEqual(
      evidence.notTried.map(({ attack, why }) => [attack, why]),
      [
        ['loss', 'this learner foretells nothing about one row'],
        ['canary', 'this learner foretells nothing about one row'],
      ],
    )
  })

  it('of averaged models: each round trains on from another model, so that there is no difference to take', async () => {
    const fedavg: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 2, localSteps: 3, learningRate: 0.5, l2: 0, standardise: 'pooled' }
    const evidence = await audited({ learner: fedavg, mode: 'masked', attacks: ['inversion', 'differencing'] })
    assert.equal(rowOf(evidence, 'inversion').verdict, 'under its ceiling')
    assert.equal(evidence.notTried[0]?.attack, 'differencing')
  })

  it('of numbers: as of outcomes, by how far a guess is off', async () => {
    const evidence = await audited({
      learner: LINEAR,
      label: 'bmi',
      mode: 'masked',
      privacy: PROMISE,
      attacks: ['inversion', 'loss', 'canary', 'differencing'],
    })
    assert.deepEqual(
      evidence.found.map(({ attack }) => attack),
      ['inversion', 'loss', 'canary', 'differencing'],
    )
    for (const row of evidence.found) assert.ok(row.verdict === 'under its ceiling' || row.attack === 'loss', row.evidenced)
  })
})

describe('a question', () => {
  const tools = { signal: new AbortController().signal, tell: () => undefined }
  const ask = (options: Partial<Parameters<typeof askPrivacy>[0]>) => askPrivacy({ sites: 2, rows: 200, models: 4, trials: 20, ...options }, tools)

  it('about an unknown attack, too few patients or half a promise is refused', async () => {
    for (const [options, code] of [
      [{ attacks: ['guessing'] }, 'ROTA-6411'],
      [{ rows: 20 }, 'ROTA-6412'],
      [{ epsilon: 1 }, 'ROTA-6413'],
      [{ delta: 1e-4 }, 'ROTA-6413'],
      [{ epsilon: -1, delta: 1e-4 }, 'ROTA-2351'],
      [{ learner: 'poisson', epsilon: 1, delta: 1e-4 }, 'ROTA-3043'],
    ] as const)
      await assert.rejects(ask(options), (error) => isRotaError(error, code) || assert.fail(`${code}: ${error}`))
  })

  it('with a report is answered in the study’s, where it is played as it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rota-evidence-'))
    try {
      const report = join(folder, 'report.html')
      await ask({ rows: 120, attacks: ['inversion'], report })
      const page = await readFile(report, 'utf8')
      for (const words of ['Privacy: declared, enforced, evidenced', 'Coefficients', 'No clearance: the study promises no protection'])
        assert.ok(page.includes(words), words)
      await ask({ rows: 120, attacks: ['inversion'], report, epsilon: 1, delta: 1e-4 })
      assert.ok(!(await readFile(report, 'utf8')).includes('Coefficients'), 'a study that only might promise this has no results')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('about generated rows is answered by the same functions', async () => {
    const { found, privacy, mode } = await ask({ sites: 3, mode: 'masked', epsilon: 2, delta: 1e-4, attacks: ['inversion'] })
    assert.deepEqual([found[0]?.protected === null, privacy?.epsilon, mode], [false, 2, 'masked'])
    // Masks are drawn anew each time: with so few patients the interval may reach the ceiling.
    assert.ok(['under its ceiling', 'too few to tell'].includes(found[0]?.verdict ?? ''), found[0]?.verdict)
  })
})

describe('evidence in a file', () => {
  let folder = ''
  let file = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rota-evidence-'))
    file = join(folder, 'evidence.json')
  })
  after(() => rm(folder, { recursive: true, force: true }))
  const refused = (of: Promise<unknown>, code: ErrorCode, what: string) =>
    assert.rejects(of, (error) => isRotaError(error, code) || assert.fail(`${what}: ${error}`))

  it('is read as it was found', async () => {
    const whole = await audited({ privacy: PROMISE, attacks: ['inversion', 'loss', 'differencing'], models: 4 })
    const without = await audited({ learner: { kind: 'statistics', bins: 10 }, attacks: ['inversion', 'loss'] })
    assert.ok(whole.privacy !== null && without.privacy === null && without.notTried.length > 0)
    const network = { ...whole, privacy: { ...whole.privacy, place: 'distributed', colluders: 1, samplingRate: 0.1, expectedBatch: 20 } }
    for (const evidence of [whole, without, network]) {
      await writeFile(file, toJson(evidence, 2))
      assert.deepEqual(await readEvidence(file), evidence)
    }
  })

  it('is part of the report of a study with its protocol alone', async () => {
    const evidence = await audited({ privacy: PROMISE, attacks: ['inversion'] })
    await writeFile(file, toJson(evidence))
    assert.match((await evidenceSectionOf(evidence, file))[0] ?? '', /Gradient inversion/)
    assert.deepEqual(await evidenceSectionOf(evidence, undefined), [])
    await refused(evidenceSectionOf({ protocolDigest: ZERO_DIGEST }, file), 'ROTA-6414', 'another protocol')
  })

  it('is refused when it is damaged, or says more than its figures do', async () => {
    const evidence = await audited({ privacy: PROMISE, attacks: ['inversion'] })
    const row = rowOf(evidence, 'inversion')
    const damaged: Readonly<Record<string, unknown>> = {
      'no evidence': { title: 1 },
      'no JSON': undefined,
      'half a promise': { ...evidence, privacy: {} },
      'a digest cut short': { ...evidence, protocolDigest: '0x12' },
      'a figure that is no number': { ...evidence, found: [{ ...row, unprotected: { ...row.unprotected, high: Number.NaN } }] },
      'a ceiling that is no number': { ...evidence, found: [{ ...row, ceiling: Number.POSITIVE_INFINITY }] },
      'another verdict': { ...evidence, found: [{ ...row, verdict: 'over its ceiling' }] },
      'another end': { ...evidence, holds: !evidence.holds },
    }
    for (const [what, value] of Object.entries(damaged)) {
      await writeFile(file, toJson(value) ?? '{')
      await refused(readEvidence(file), 'ROTA-6414', what)
    }
    await refused(readEvidence(join(folder, 'none.json')), 'ROTA-3001', 'no file')
  })
})
