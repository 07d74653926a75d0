import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { binaryMetrics, scoresOf } from '#core/evaluation/metrics.ts'
import { ownIntercept, predictorOf } from '#core/learner/predict.ts'
import { problemOf } from '#core/learner/problem.ts'
import { type RegressionResults, results } from '#core/learner/results.ts'
import type { Model } from '#core/model/model.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import { apart, fedavg, heart, newton, pooledTable, protocolOf, rehearse, SHARED_STATE, sharedJson, tools } from '../unit/core/support.ts'

// Reference: statsmodels (exact.json) and numpy (heart-disease.json) on the pooled train rows of four hospitals.
interface Fit {
  readonly coef: number[]
  readonly se: number[]
  readonly p: number[]
  readonly [key: string]: unknown
}
interface Exact {
  readonly heart_logistic: Fit & { z: number[]; ci95: [number, number][]; loglik: number; odds_ratio: number[] }
  readonly heart_logistic_raw: Fit
  readonly heart_logistic_site_intercepts: { coef_slopes: number[]; se_slopes: number[]; intercepts: Record<string, number>; loglik: number }
  readonly heart_linear_thalach: Fit & { t: number[]; r2: number; sigma2: number; df_resid: number }
  readonly heart_poisson_trestbps: Fit & { deviance: number }
}
interface Scores {
  readonly w: number[]
  readonly test: Record<string, { n: number; acc: number; auc: number; logloss: number }>
}
type Heart = Record<'pooled_newton' | 'pooled_gd_200x0.5' | 'fedavg_R100_E5_lr0.5', Scores> & { mean: number[]; std: number[] }

const exact = sharedJson<Exact>('reference/exact.json')
const reference = sharedJson<Heart>('reference/heart-disease.json')
const data = heart()
const here = exact && reference && data ? {} : { skip: 'needs ../shared: the four-hospital data and its reference numbers' }

after(() => console.log(`learners: ${SHARED_STATE}`))

async function fit(learner: LearnerSpec, cohort = data): Promise<{ res: RegressionResults; final: Model; protocol: Protocol }> {
  assert.ok(cohort)
  const protocol = protocolOf(learner, cohort.features, cohort.label)
  const { final, finished } = await rehearse(protocol, cohort.sites, tools())
  assert.ok(finished)
  assert.equal(problemOf(final), null)
  return { res: results(final, protocol) as RegressionResults, final, protocol }
}

const near = (actual: readonly (number | null)[] | null | undefined, expected: readonly (number | null)[], within: number, what: string): void => {
  const difference = apart(actual, expected)
  assert.ok(difference <= within, `${what}: ${difference} apart`)
}

describe('learners against reference numbers', here, () => {
  it('logistic without penalty: coefficients, errors, p, intervals, odds ratios, likelihood, both scales', async () => {
    const want = (exact as Exact).heart_logistic
    const { res } = await fit(newton('logistic'))
    near(res.coef, want.coef, 1e-6, 'coef')
    near(res.se, want.se, 1e-6, 'se')
    near(res.z, want.z, 1e-6, 'z')
    near(res.p, want.p, 1e-6, 'p')
    near(res.ci95?.flat() as number[], want.ci95.flat(), 1e-6, 'ci95')
    near(res.ratio, want.odds_ratio, 1e-6, 'odds ratios')
    near(res.raw.coef, (exact as Exact).heart_logistic_raw.coef, 1e-6, 'raw coef')
    near(res.raw.se, (exact as Exact).heart_logistic_raw.se, 1e-6, 'raw se')
    near([res.logLik], [want.loglik], 1e-6, 'log-likelihood')
    near(res.mean, (reference as Heart).mean, 1e-6, 'mean')
    near(res.std, (reference as Heart).std, 1e-6, 'std')
    assert.equal(res.rows, 486)
  })

  it('the same on raw columns (standardise: none) gives the raw coefficients first', async () => {
    const { res } = await fit(newton('logistic', { standardise: 'none' }))
    near(res.coef, (exact as Exact).heart_logistic_raw.coef, 1e-6, 'coef')
    near(res.se, (exact as Exact).heart_logistic_raw.se, 1e-6, 'se')
    assert.deepEqual([...new Set(res.mean), ...new Set(res.std)], [0, 1])
  })

  it('logistic with L2 0.01: coefficients and test metrics of every site; no standard errors', async () => {
    const want = (reference as Heart).pooled_newton
    const { res, final, protocol } = await fit(newton('logistic', { l2: 0.01 }))
    near(res.coef, want.w, 1e-6, 'coef')
    assert.equal(res.se, null)
    assert.equal(res.p, null)
    checkMetrics(final, protocol, want)
  })

  it('fedavg 100 × 5: weights within 1e-5, test metrics to four digits', async () => {
    const want = (reference as Heart)['fedavg_R100_E5_lr0.5']
    const { res, final, protocol } = await fit(fedavg(100, 5))
    near(res.coef, want.w, 1e-5, 'weights')
    checkMetrics(final, protocol, want)
    const pooled = want.test.pooled
    assert.ok(pooled)
    near([res.test?.accuracy as number, res.test?.logLoss as number], [pooled.acc, pooled.logloss], 5e-5, 'summed metrics')
    near([res.test?.aucHistogram as number], [pooled.auc], 5e-4, 'histogram AUC')
  })

  it('fedavg 200 × 1 equals pooled gradient descent', async () => {
    const { res } = await fit(fedavg(200, 1))
    near(res.coef, (reference as Heart)['pooled_gd_200x0.5'].w, 1e-6, 'weights')
  })

  it('linear (thalach): coefficients, errors, t, p, residual variance', async () => {
    const want = (exact as Exact).heart_linear_thalach
    const { res } = await fit(newton('linear'), heart({ label: 'thalach', drop: ['label'] }))
    near(res.coef, want.coef, 1e-6, 'coef')
    near(res.se, want.se, 1e-6, 'se')
    near(res.z, want.t, 1e-6, 't')
    near(res.p, want.p, 1e-6, 'p')
    near([res.sigma2, res.df, res.r2], [want.sigma2, want.df_resid, want.r2], 1e-6, 'sigma², df, r²')
    assert.equal(res.statistic, 't')
  })

  it('Poisson (trestbps): coefficients, errors, deviance', async () => {
    const want = (exact as Exact).heart_poisson_trestbps
    const cohort = heart({ label: 'trestbps', drop: ['label'] })
    assert.ok(cohort)
    const { res } = await fit(newton('poisson'), { ...cohort, label: { ...cohort.label, kind: 'count' } })
    near(res.coef, want.coef, 1e-6, 'coef')
    near(res.se, want.se, 1e-6, 'se')
    near([res.deviance], [want.deviance], 1e-5, 'deviance')
  })

  it('private site intercepts: a hospital with one class takes part without harm; intercepts stay at the sites', async () => {
    const want = (exact as Exact).heart_logistic_site_intercepts
    const { res, final, protocol } = await fit(newton('logistic', { siteIntercepts: true }))
    near(res.coef.slice(0, -1), want.coef_slopes, 1e-5, 'slopes')
    near(res.se?.slice(0, -1), want.se_slopes, 1e-5, 'se')
    assert.equal(res.coef.at(-1), null)
    near([res.logLik], [want.loglik], 1e-5, 'log-likelihood')
    assert.ok(data)
    for (const [site, table] of Object.entries(data.sites)) near([ownIntercept(final, protocol, table.train)], [want.intercepts[site] ?? null], 1e-5, site)
    assert.ok(!('intercepts' in final.state))
  })

  it('private site intercepts without that hospital: the same slopes on the raw scale', async () => {
    assert.ok(data)
    const { switzerland: _, ...three } = data.sites
    const { res } = await fit(newton('logistic', { siteIntercepts: true }), { ...data, sites: three })
    const raw = (exact as Exact).heart_logistic_site_intercepts.coef_slopes.map((w, j) => w / ((reference as Heart).std[j] as number))
    near(res.raw.coef.slice(0, -1), raw, 1e-5, 'raw slopes')
  })
})

function checkMetrics(final: Model, protocol: Protocol, want: Scores): void {
  assert.ok(data)
  const predictor = predictorOf(final, protocol)
  assert.ok(predictor)
  const tables = { ...data.sites, pooled: pooledTable(Object.values(data.sites)) }
  for (const [name, { n, acc, auc, logloss }] of Object.entries(want.test)) {
    const table = tables[name as keyof typeof tables]?.test
    assert.ok(table)
    const got = binaryMetrics(scoresOf(table, predictor), table.label)
    assert.equal(got.n, n)
    assert.deepEqual([got.accuracy?.toFixed(4), got.auc?.toFixed(4), got.logLoss?.toFixed(4)], [acc.toFixed(4), auc.toFixed(4), logloss.toFixed(4)], name)
  }
}
