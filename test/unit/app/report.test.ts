import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { reportHtml } from '#app/report.ts'
import { escapeHtml } from '#app/report-markup.ts'
import { resultsCsv } from '#app/results-csv.ts'
import { simulate } from '#app/simulate.ts'
import type { SimulateOptions } from '#app/simulate-options.ts'

const view = async (options: SimulateOptions) => (await simulate({ sites: 3, rows: 90, ...options }, { signal: new AbortController().signal })).view

describe('the report', () => {
  it('holds every part and asks nothing of the network', async () => {
    const html = reportHtml(await view({}))
    for (const part of [
      'The study',
      'Coefficients',
      'Test rows, site by site',
      'Round log',
      'What this shows, and what it does not',
      'open: no masking, no differential privacy',
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
