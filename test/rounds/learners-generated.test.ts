import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { binaryMetrics, scoresOf } from '#core/evaluation/metrics.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { ownIntercept, predictorOf } from '#core/learner/predict.ts'
import { problemOf } from '#core/learner/problem.ts'
import type { SiteTables } from '#core/learner/rehearse.ts'
import { type RegressionResults, rawIntercept, results } from '#core/learner/results.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import type { Model } from '#core/model/model.ts'
import { refused } from '#core/model/refuse.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Feature, Label, Protocol } from '#core/protocol/protocol.ts'
import { addVectors } from '#core/ring/add.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { toRing } from '#core/ring/to-ring.ts'
import { plainFit } from '../unit/core/plain-fit.ts'
import { apart, fedavg, newton, noRows, pooledTable, protocolOf, rehearse, sitesOf, tableOf, tools } from '../unit/core/support.ts'

const cohort = generateCohort({ sites: 5, rows: 240, seed: 11 })
const sites = sitesOf(cohort.sites)
const pooled = pooledTable(Object.values(sites))

async function fit(protocol: Protocol, tables: SiteTables, seed = 1): Promise<{ res: RegressionResults; final: Model; rounds: number; states: string[] }> {
  const { final, rounds, models } = await rehearse(protocol, tables, tools(seed))
  return { res: results(final, protocol) as RegressionResults, final, rounds: rounds.length, states: models.map((model) => JSON.stringify(model)) }
}

const near = (actual: readonly (number | null)[] | null | undefined, expected: readonly (number | null)[], within: number): void => {
  const difference = apart(actual, expected)
  assert.ok(difference <= within, `${difference} apart`)
}

/** The generated cohort's rows with another label: a number or count made of the features and noise. */
function relabelled(kind: 'number' | 'count'): { tables: SiteTables; label: Label } {
  const random = new Seeded(77)
  const relabel = (table: SplitTable['train']): SplitTable['train'] => {
    const p = table.columns.length
    const label = Float64Array.from({ length: table.rows }, (_, i) => {
      const age = table.values[i * p] as number
      const bmi = table.values[i * p + 5] as number
      const noise = random.uniform() + random.uniform() + random.uniform() - 1.5
      return kind === 'number' ? 40 + 0.5 * age - 0.2 * bmi + 5 * noise : Math.max(0, Math.round(Math.exp(0.02 * age - 0.6) + 2 * noise))
    })
    return { ...table, label }
  }
  const tables = Object.fromEntries(Object.entries(sites).map(([name, { train, test }]) => [name, { train: relabel(train), test: relabel(test) }]))
  return { tables, label: { name: 'outcome', description: '', unit: '1', kind, range: kind === 'number' ? [0, 150] : [0, 40] } }
}

describe('learners on generated hospitals', () => {
  it('logistic: equals an independent fit of the pooled rows, and the truth lies within four standard errors', async () => {
    const { res } = await fit(protocolOf(newton('logistic'), cohort.features, cohort.label), sites)
    const plain = plainFit('logistic', pooled.train)
    near(res.coef, plain.coef, 1e-7)
    near(res.se, plain.se, 1e-7)
    near([res.logLik], [plain.logLik], 1e-6)
    cohort.truth.coef.forEach((truth, j) => assert.ok(Math.abs((res.raw.coef[j] as number) - truth) < 4 * (res.raw.se?.[j] as number), cohort.truth.columns[j]))
    assert.deepEqual(res.columns, cohort.truth.columns)
  })

  it('logistic with L2, and L2 on raw columns, equal an independent penalised fit', async () => {
    const { res } = await fit(protocolOf(newton('logistic', { l2: 0.05 }), cohort.features, cohort.label), sites)
    near(res.coef, plainFit('logistic', pooled.train, 0.05).coef, 1e-7)
    const onRaw = (await fit(protocolOf(newton('logistic', { l2: 0.05, standardise: 'none' }), cohort.features, cohort.label), sites)).res
    assert.ok(gradientNorm(onRaw.coef as number[], 0.05) < 1e-6)
  })

  it('private intercepts equal indicator columns, one a hospital', async () => {
    const protocol = protocolOf(newton('logistic', { siteIntercepts: true }), cohort.features, cohort.label)
    const { res, final } = await fit(protocol, sites)
    const names = Object.keys(sites)
    const owner = names.flatMap((name) => new Array<string>(sites[name]?.train.rows ?? 0).fill(name))
    const plain = plainFit(
      'logistic',
      pooled.train,
      0,
      names.map((name) => owner.map((o) => (o === name ? 1 : 0))),
    )
    near(res.coef.slice(0, -1), plain.coef.slice(0, 8), 1e-7)
    near(res.se?.slice(0, -1), plain.se.slice(0, 8), 1e-7)
    names.forEach((name, s) => near([ownIntercept(final, protocol, (sites[name] as SplitTable).train)], [plain.coef[8 + s] as number], 1e-7))
    const intercept = ownIntercept(final, protocol, (sites[names[0] as string] as SplitTable).train) as number
    const row = pooled.train.values.subarray(0, 8)
    const eta = (res.raw.coef.slice(0, -1) as number[]).reduce((sum, w, j) => sum + w * (row[j] as number), rawIntercept(final, intercept))
    near([predictorOf(final, protocol, intercept)?.(row) as number], [1 / (1 + Math.exp(-eta))], 1e-12)
    assert.equal(predictorOf(final, protocol), null)
  })

  for (const own of [false, true]) {
    it(`linear${own ? ' with private intercepts' : ''}: equals an independent fit`, async () => {
      const { tables, label } = relabelled('number')
      const { res, rounds } = await fit(protocolOf(newton('linear', { siteIntercepts: own }), cohort.features, label), tables)
      const names = Object.keys(tables)
      const owner = names.flatMap((name) => new Array<string>(tables[name]?.train.rows ?? 0).fill(name))
      const extra = own ? names.map((name) => owner.map((o) => (o === name ? 1 : 0))) : []
      const plain = plainFit('linear', pooledTable(Object.values(tables)).train, 0, extra)
      near(res.coef.slice(0, 8), plain.coef.slice(0, 8), 1e-6)
      near(res.se?.slice(0, 8), plain.se.slice(0, 8), 1e-6)
      assert.equal(rounds, 3)
      assert.ok((res.test?.r2 as number) > 0.5)
    })
  }

  for (const own of [false, true]) {
    it(`Poisson${own ? ' with private intercepts' : ''}: equals an independent fit`, async () => {
      const { tables, label } = relabelled('count')
      const { res } = await fit(protocolOf(newton('poisson', { siteIntercepts: own }), cohort.features, label), tables)
      const names = Object.keys(tables)
      const owner = names.flatMap((name) => new Array<string>(tables[name]?.train.rows ?? 0).fill(name))
      const extra = own ? names.map((name) => owner.map((o) => (o === name ? 1 : 0))) : []
      const plain = plainFit('poisson', pooledTable(Object.values(tables)).train, 0, extra)
      near(res.coef.slice(0, 8), plain.coef.slice(0, 8), 1e-6)
      near(res.se?.slice(0, 8), plain.se.slice(0, 8), 1e-6)
    })
  }

  it('fedavg with one local step equals gradient descent on the pooled rows', async () => {
    const { res } = await fit(protocolOf(fedavg(60, 1), cohort.features, cohort.label), sites)
    near(res.coef, gradientDescent(60, 0.5, 0.01), 1e-6)
    assert.equal(res.se, null)
    assert.ok(res.logLik !== null && res.logLik < 0)
  })

  it('the order of sites, the salts and the split of rows over sites change nothing in an exact run', async () => {
    const protocol = protocolOf(newton('logistic'), cohort.features, cohort.label)
    const forward = await fit(protocol, sites, 1)
    const backward = await fit(protocol, Object.fromEntries(Object.entries(sites).reverse()), 2)
    assert.deepEqual(backward.states, forward.states)
    const oneSite = await fit(protocol, { all: pooled }, 3)
    assert.deepEqual(oneSite.states, forward.states)
  })

  it('evaluation: the summed metrics equal the exact ones, the histogram AUC to a bin', async () => {
    const protocol = protocolOf(newton('logistic'), cohort.features, cohort.label)
    const { res, final } = await fit(protocol, sites)
    const predictor = predictorOf(final, protocol)
    assert.ok(predictor)
    const want = binaryMetrics(scoresOf(pooled.test, predictor), pooled.test.label)
    assert.equal(res.test?.n, want.n)
    assert.equal(res.test?.accuracy, want.accuracy)
    near([res.test?.logLoss as number], [want.logLoss], 1e-9)
    near([res.test?.aucHistogram as number], [want.auc], 2e-3)
    near([-(res.train?.loss as number) * (res.train?.n as number)], [res.logLik], 1e-6)
  })

  it('a tiny site, an empty test set and a site with one class take part without harm', async () => {
    const extra: SiteTables = {
      ...sites,
      tiny: { train: slice(pooled.train, 0, 3), test: noRows(pooled.test.columns) },
      negatives: { train: only(pooled.train, 0), test: noRows(pooled.test.columns) },
    }
    for (const siteIntercepts of [false, true]) {
      const { res, final } = await fit(protocolOf(newton('logistic', { siteIntercepts }), cohort.features, cohort.label), extra)
      assert.equal(problemOf(final), null)
      assert.ok(res.converged)
      if (!siteIntercepts) near(res.coef, plainFit('logistic', pooledTable(Object.values(extra)).train).coef, 1e-7)
    }
    assert.deepEqual(
      (await rehearse(protocolOf(newton('logistic'), cohort.features, cohort.label, { cohort: { rule: '', minRows: 10, maxRows: 1000 } }), extra, tools()))
        .leftOut,
      ['tiny'],
    )
  })

  it('step halving: a fit whose first step overshoots still settles', async () => {
    const features: Feature[] = [{ name: 'x', description: '', unit: '1', range: [0, 100], missing: 'refuse' }]
    const label: Label = { name: 'y', description: '', unit: '1', kind: 'count', range: [0, 10_000] }
    const x = Array.from({ length: 60 }, (_, i) => i)
    const table = tableOf(
      ['x'],
      x.map((v) => [v]),
      x.map((v) => Math.round(Math.exp(v / 6.6))),
    )
    const protocol = protocolOf(newton('poisson', { maxIterations: 60 }), features, label)
    const { models, final } = await rehearse(protocol, { only: { train: table, test: noRows(['x']) } }, tools())
    assert.equal(problemOf(final), null)
    near((results(final, protocol) as RegressionResults).raw.coef.slice(0, 1), [1 / 6.6], 2e-3)
    assert.ok(models.length < 40)
  })

  it('a refused round’s base differs from its model in the refusal count alone, and leads to the same result', async () => {
    const protocol = protocolOf(newton('logistic'), cohort.features, cohort.label)
    const learner = learnerFor(protocol, tools().sha256)
    const base = learner.initial()
    const again = refused(base)
    assert.deepEqual({ ...again, refusals: 0 }, base)
    assert.equal(again.refusals, 1)
    const advance = async (model: typeof base) => {
      const update = await learner.contribute(model, pooled, tools())
      const sum = addVectors([toRing(boundUpdate(update), new Uint8Array(32), new Seeded(1))])
      return learner.advance(model, decodeSum(sum.bytes, learner.layout(model), 1))
    }
    assert.deepEqual(await advance(again), await advance(base))
  })

  it('a contribution of 500 rows takes milliseconds and advance less than one', async () => {
    const protocol = protocolOf(newton('logistic'), cohort.features, cohort.label)
    const learner = learnerFor(protocol, tools().sha256)
    const { models } = await rehearse(protocol, sites, tools())
    const model = models[2] as (typeof models)[0]
    const table = { train: slice(pooled.train, 0, 500), test: noRows(pooled.test.columns) }
    const update = await learner.contribute(model, table, tools())
    const sum = decodeSum(addVectors([toRing(boundUpdate(update), new Uint8Array(32), new Seeded(1))]).bytes, learner.layout(model), 1)
    const time = async (work: () => unknown): Promise<number> => {
      const start = performance.now()
      for (let i = 0; i < 50; i++) await work()
      return (performance.now() - start) / 50
    }
    assert.ok((await time(() => learner.contribute(model, table, tools()))) < 15)
    assert.ok((await time(() => learner.advance(model, sum))) < 5)
  })
})

function slice({ columns, values, label }: SplitTable['train'], from: number, to: number): SplitTable['train'] {
  const p = columns.length
  return { columns, rows: to - from, values: values.slice(from * p, to * p), label: label.slice(from, to) }
}

function only(table: SplitTable['train'], outcome: number): SplitTable['train'] {
  const p = table.columns.length
  const keep = Array.from({ length: table.rows }, (_, i) => i).filter((i) => table.label[i] === outcome)
  return tableOf(
    table.columns,
    keep.map((i) => Array.from(table.values.subarray(i * p, (i + 1) * p))),
    keep.map(() => outcome),
  )
}

/** Largest entry of the penalised mean loss's gradient on raw columns, each in units of the column's size. */
function gradientNorm(coef: number[], l2: number): number {
  const p = pooled.train.columns.length
  const gradient = coef.map((w, j) => (j < p ? l2 * w : 0))
  const size = coef.map(() => 1)
  for (let i = 0; i < pooled.train.rows; i++) {
    const x = [...pooled.train.values.subarray(i * p, (i + 1) * p), 1]
    const residual = 1 / (1 + Math.exp(-x.reduce((sum, v, j) => sum + v * (coef[j] as number), 0))) - (pooled.train.label[i] as number)
    x.forEach((v, j) => {
      gradient[j] = (gradient[j] as number) + (v * residual) / pooled.train.rows
      size[j] = Math.max(size[j] as number, Math.abs(v))
    })
  }
  return Math.max(...gradient.map((g, j) => Math.abs(g) / (size[j] as number)))
}

function gradientDescent(steps: number, rate: number, l2: number): number[] {
  const { columns, rows, values, label } = pooled.train
  const p = columns.length
  const mean = columns.map((_, j) => Array.from({ length: rows }, (__, i) => values[i * p + j] as number).reduce((a, b) => a + b, 0) / rows)
  const std = columns.map((_, j) =>
    Math.sqrt(Array.from({ length: rows }, (__, i) => ((values[i * p + j] as number) - (mean[j] as number)) ** 2).reduce((a, b) => a + b, 0) / rows),
  )
  const z = Array.from({ length: rows }, (_, i) => [...columns.map((__, j) => ((values[i * p + j] as number) - (mean[j] as number)) / (std[j] as number)), 1])
  let w = new Array<number>(p + 1).fill(0)
  for (let step = 0; step < steps; step++) {
    const gradient = w.map((c, j) => (j < p ? l2 * c : 0))
    z.forEach((x, i) => {
      const residual = 1 / (1 + Math.exp(-x.reduce((sum, v, j) => sum + v * (w[j] as number), 0))) - (label[i] as number)
      x.forEach((v, j) => {
        gradient[j] = (gradient[j] as number) + (v * residual) / rows
      })
    })
    w = w.map((c, j) => c - rate * (gradient[j] as number))
  }
  return w
}
