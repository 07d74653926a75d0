import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NamedShare } from '#app/audit/participation.ts'
import { reportHtml } from '#app/results/report.ts'
import { escapeHtml } from '#app/results/report-markup.ts'
import { resultsCsv } from '#app/results/results-csv.ts'
import { simulate } from '#app/simulate/simulate.ts'
import type { SimulateOptions } from '#app/simulate/simulate-options.ts'

const view = async (options: SimulateOptions) => (await simulate({ sites: 3, rows: 90, ...options }, { signal: new AbortController().signal })).view

describe('the report', () => {
  it('holds every part and asks nothing of the network', async () => {
    const html = reportHtml(await view({}))
    for (const part of [
      'The study',
      'Coefficients',
      'Test rows, site by site',
      'Who took part',
      'Every site was in every round.',
      'Round log',
      'What this shows, and what it does not',
      'open: members see each other&#39;s updates',
      'no differential privacy',
    ])
      assert.ok(html.includes(part), part)
    assert.ok(html.includes('aria-label="ROC"') && html.includes('aria-label="Calibration"') && html.includes('aria-label="Estimates with intervals"'))
    assert.doesNotMatch(html, /<script|<link|<img|@import|url\(|https?:\/\/|NaN|undefined/)
  })

  it('can do without what is not known', async () => {
    for (const options of [{ learner: 'statistics' }, { l2: 1 }, { siteIntercepts: true }] as const) {
      const html = reportHtml(await view(options))
      assert.doesNotMatch(html, /NaN|undefined|null/)
    }
  })

  it('says above the round log who was missing, and what is not known of others', async () => {
    const known = await view({})
    const participation = known.participation as NonNullable<typeof known.participation>
    const [first, second, third] = participation.shares as readonly [NamedShare, NamedShare, NamedShare]
    const line = 'Basel has been missing from 3 of 5 rounds (last in: round 2): late in contributing (rounds 3 to 5)'
    const here = { rounds: 5, bytesIn: 1_200, bytesOut: 3_400, trainMs: 2_500, workMs: 4_200 }
    const html = reportHtml({
      ...known,
      participation: {
        absences: [line],
        shares: [{ ...first, here }, { ...second, told: { rounds: 5, bytesIn: 9_000, bytesOut: 8_000, trainSeconds: 15, workSeconds: 30 } }, third],
      },
    })
    assert.ok(html.includes(`<strong>${line}</strong>`) && html.indexOf(line) < html.indexOf('Round log'))
    assert.ok(html.includes('1.20 kB') && html.includes('2.5 s') && html.includes('not known here') && html.includes('≤ 15.0 s*'))
    assert.ok(html.includes('>work<') && html.includes('4.2 s') && html.includes('≤ 30.0 s*'))
    assert.doesNotMatch(reportHtml({ ...known, participation: null }), /Who took part/)
  })

  it('shows names that hold markup as text', async () => {
    const known = await view({})
    const hostile = '<img src=x onerror=alert(1)>'
    const html = reportHtml({
      ...known,
      title: hostile,
      test: { ...(known.test as NonNullable<typeof known.test>), sites: { [hostile]: { n: 1, accuracy: null, auc: null, logLoss: null } } },
    })
    assert.ok(!html.includes('<img'))
    assert.ok(html.includes(escapeHtml(hostile)))
  })
})

describe('the CSV', () => {
  it('has a line a column, in full precision', async () => {
    const known = await view({})
    const [head, ...lines] = resultsCsv(known).trimEnd().split('\n')
    assert.equal(head?.split(',')[3], 'coef')
    assert.equal(known.results.kind, 'regression')
    if (known.results.kind !== 'regression') return
    assert.deepEqual(
      lines.map((line) => Number(line.split(',')[3])),
      known.results.coef,
    )
    assert.equal(lines.at(-1)?.split(',')[0], '(intercept)')
  })

  it('leaves empty what has no value', async () => {
    const lines = resultsCsv(await view({ l2: 1 }))
      .trimEnd()
      .split('\n')
    assert.equal(lines[1]?.split(',')[4], '')
  })
})
