import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { simulate } from '#app/simulate/simulate.ts'
import type { SimulateOptions } from '#app/simulate/simulate-options.ts'

/* Numbers that other software found on the same rows: statsmodels (exact.json) and numpy (heart-disease.json). */

const HEART = '../shared/data/prepared/heart.csv'
const THERE = existsSync(HEART) && existsSync('../shared/reference/exact.json')
if (!THERE) console.log('reference values: ../shared is not there; the generated cases in test/rounds stand for them')

const read = (name: string) => JSON.parse(readFileSync(`../shared/reference/${name}.json`, 'utf8'))
const play = async (options: SimulateOptions) => (await simulate({ data: HEART, ...options }, { signal: new AbortController().signal })).answer

function near(found: readonly (number | null)[] | null | undefined, wanted: readonly number[], within: number): void {
  assert.equal(found?.length, wanted.length)
  wanted.forEach((value, j) => assert.ok(Math.abs((found?.[j] as number) - value) <= within, `[${j}] ${found?.[j]} is not ${value}`))
}

/** Masks are integers that cancel: the same frozen sets give the same models, byte for byte. @returns what the masked run found */
async function masked(options: SimulateOptions, playedBy = play) {
  const [open, hidden] = [await playedBy({ ...options, mode: 'open' }), await playedBy({ ...options, mode: 'masked' })]
  assert.deepEqual([open.mode, hidden.mode], ['open', 'masked'])
  assert.notEqual(hidden.protocolDigest, open.protocolDigest)
  assert.ok(open.digests.length > 2)
  assert.deepEqual(hidden.digests, open.digests)
  for (const key of ['coef', 'se', 'p', 'test', 'siteIntercepts', 'logLik'] as const) assert.deepEqual(hidden[key], open[key], key)
  return hidden
}

interface Known {
  readonly n: number
  readonly acc: number
  readonly auc: number
  readonly logloss: number
}

function nearMetrics(found: Awaited<ReturnType<typeof play>>['test'], wanted: Readonly<Record<string, Known>>): void {
  for (const [site, { n, acc, auc, logloss }] of Object.entries(wanted)) {
    const metrics = site === 'pooled' ? found?.pooled : found?.sites[site]
    assert.equal(metrics?.n, n)
    near([metrics?.accuracy ?? null, metrics?.auc ?? null, metrics?.logLoss ?? null], [acc, auc, logloss], 0.5e-4 + 1e-9)
  }
}

describe('simulate on heart.csv', { skip: THERE ? false : '../shared is not there' }, () => {
  it('logistic, no penalty: coefficients, standard errors and p', async () => {
    const [answer, { heart_logistic: wanted }] = [await play({}), read('exact')]
    assert.deepEqual(answer.columns, wanted.columns)
    near(answer.coef, wanted.coef, 1e-6)
    near(answer.se, wanted.se, 1e-6)
    near(answer.p, wanted.p, 1e-6)
    near([answer.logLik], [wanted.loglik], 1e-6)
    near((await play({ standardise: 'none' })).coef, read('exact').heart_logistic_raw.coef, 1e-6)
  })

  it('logistic, L2 0.01: coefficients, test metrics, and each site alone', async () => {
    const [answer, reference] = [await play({ l2: 0.01 }), read('heart-disease')]
    near(answer.coef, reference.pooled_newton.w, 1e-6)
    assert.equal(answer.se, null)
    nearMetrics(answer.test, reference.pooled_newton.test)
    for (const site of ['cleveland', 'hungarian', 'va']) {
      const { test } = reference[`local_${site}`]
      near([answer.alone?.[site]?.pooled.auc ?? null, answer.alone?.[site]?.own.auc ?? null], [test.pooled.auc, test[site].auc], 0.5e-4 + 1e-9)
    }
    assert.equal(answer.alone?.switzerland?.own.auc, null)
  })

  it('fedavg, 100 rounds of 5 steps', async () => {
    const [answer, reference] = [await play({ algorithm: 'fedavg', rounds: 100, localSteps: 5, learningRate: 0.5, l2: 0.01 }), read('heart-disease')]
    near(answer.coef, reference['fedavg_R100_E5_lr0.5'].w, 1e-5)
    nearMetrics(answer.test, reference['fedavg_R100_E5_lr0.5'].test)
  })

  it('linear and Poisson', async () => {
    const { heart_linear_thalach: linear, heart_poisson_trestbps: poisson } = read('exact')
    const thalach = await play({ learner: 'linear', label: 'thalach', drop: ['label'] })
    near(thalach.coef, linear.coef, 1e-6)
    near(thalach.se, linear.se, 1e-6)
    near(thalach.p, linear.p, 1e-6)
    const trestbps = await play({ learner: 'poisson', label: 'trestbps', drop: ['label'] })
    near(trestbps.coef, poisson.coef, 1e-6)
    near(trestbps.se, poisson.se, 1e-6)
  })

  it('private intercepts', async () => {
    const [answer, { heart_logistic_site_intercepts: wanted }] = [await play({ siteIntercepts: true }), read('exact')]
    near(answer.coef?.slice(0, -1), wanted.coef_slopes, 1e-5)
    near(answer.se?.slice(0, -1), wanted.se_slopes, 1e-5)
    for (const [site, value] of Object.entries(wanted.intercepts)) near([answer.siteIntercepts?.[site] ?? null], [value as number], 1e-5)
    assert.equal(answer.siteIntercepts?.switzerland, null)
  })

  it('masked: the models of the open study, and the same reference numbers', async () => {
    const [exact, heart] = [read('exact'), read('heart-disease')]
    const plain = await masked({})
    for (const key of ['coef', 'se', 'p'] as const) near(plain[key], exact.heart_logistic[key], 1e-6)
    near([plain.logLik], [exact.heart_logistic.loglik], 1e-6)
    const ridge = await masked({ l2: 0.01 })
    near(ridge.coef, heart.pooled_newton.w, 1e-6)
    nearMetrics(ridge.test, heart.pooled_newton.test)
    // Of the hundred rounds of the reference the first ten: the open study plays them all.
    await masked({ algorithm: 'fedavg', rounds: 10, localSteps: 5, learningRate: 0.5, l2: 0.01 })
    for (const [learner, label, wanted] of [
      ['linear', 'thalach', exact.heart_linear_thalach],
      ['poisson', 'trestbps', exact.heart_poisson_trestbps],
    ] as const) {
      const found = await masked({ learner, label, drop: ['label'] })
      near(found.coef, wanted.coef, 1e-6)
      near(found.se, wanted.se, 1e-6)
    }
    const intercepts = await masked({ siteIntercepts: true })
    near(intercepts.coef?.slice(0, -1), exact.heart_logistic_site_intercepts.coef_slopes, 1e-5)
  })
})

it('on generated rows a masked study gives the models of the open one', async () => {
  const generated = async (options: SimulateOptions) =>
    (await simulate({ sites: 4, rows: 120, seed: 3, ...options }, { signal: new AbortController().signal })).answer
  for (const options of [{}, { algorithm: 'fedavg', rounds: 5, localSteps: 5, learningRate: 0.5 }] as const) await masked(options, generated)
})
