import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { PrivacyEvidence } from '#app/privacy-audit/audit-privacy.ts'
import { conclusionOf, evidencePage } from '#app/privacy-audit/evidence-tables.ts'
import { askPrivacy } from '#app/privacy-audit/privacy-question.ts'
import { evidenceSectionOf } from '#app/privacy-audit/read-evidence.ts'
import { isRotaError } from '#base/errors.ts'
import { ZERO_DIGEST } from '#base/ids.ts'
import { evidenceText } from '#cli/output/privacy-evidence-text.ts'
import { plain } from '#cli/output/style.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import { LOGISTIC } from '../support/studies.ts'
import { audited, rowOf } from './support/audited.ts'

/*
  rota audit privacy, on exact learners
  ├── given noise and masks: each attack works without them, and stays under its ceiling with them
  ├── given noise alone, masks alone, or neither: what nobody promised is told as not promised
  ├── given less noise than the study says: canaries and membership show it
  ├── given an attack that is too weak: no clearance
  └── given a question that makes no sense: one error
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
    assert.equal(conclusionOf(evidence), 'Every attack works without protection; what is promised stays under its ceiling.')
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
      /^No clearance: the study promises no protection\. Nothing is promised against: .*, Canaries\. No differential privacy\.$/,
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
  const LINEAR = { ...LOGISTIC, kind: 'linear' } as LearnerSpec
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
    assert.deepEqual([found[0]?.verdict, privacy?.epsilon, mode], ['under its ceiling', 2, 'masked'])
  })
})

describe('evidence as part of a report', () => {
  it('is taken in where it is about the protocol of the result, and refused where it is not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rota-evidence-'))
    try {
      const file = join(folder, 'evidence.json')
      const evidence = await audited({ privacy: PROMISE, attacks: ['inversion'] })
      await writeFile(file, JSON.stringify(evidence))
      assert.match((await evidenceSectionOf(evidence, file))[0] ?? '', /Gradient inversion/)
      assert.deepEqual(await evidenceSectionOf(evidence, undefined), [])
      const refused = async (of: Pick<PrivacyEvidence, 'protocolDigest'>, code: string) =>
        assert.rejects(evidenceSectionOf(of, file), (error) => isRotaError(error, code as never))
      await refused({ protocolDigest: ZERO_DIGEST }, 'ROTA-6414')
      await writeFile(file, '{"title": 1}')
      await refused(evidence, 'ROTA-6414')
      await rm(file)
      await refused(evidence, 'ROTA-3001')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
