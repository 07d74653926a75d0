import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { predictorOf } from '#core/learner/predict.ts'
import { problemError, problemOf } from '#core/learner/problem.ts'
import type { SiteTables } from '#core/learner/rehearse.ts'
import { type RegressionResults, results } from '#core/learner/results.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { SplitTable, Table } from '#core/model/table.ts'
import type { Feature, Label, LearnerSpec } from '#core/protocol/protocol.ts'
import { fedavg, newton, noRows, protocolOf, rehearse, sitesOf, tableOf, tools } from '../unit/core/support.ts'

const cohort = generateCohort({ sites: 4, rows: 300, seed: 7 })
const sites = sitesOf(cohort.sites)
const random = new Seeded(4)
const asNumber: Label = { ...cohort.label, kind: 'number' }
const asCount: Label = { ...cohort.label, kind: 'count' }

type NewColumn = (row: Float64Array, outcome: number, site: string) => number
interface Case {
  readonly features: readonly Feature[]
  readonly sites: SiteTables
  readonly label?: Label
}

/** The generated cohort with one more column. */
function withColumn(name: string, range: readonly [number, number], value: NewColumn): Case {
  const features: Feature[] = [...cohort.features, { name, description: '', unit: '1', range, missing: 'refuse' }]
  const extend = (table: Table, site: string): Table => {
    const p = table.columns.length
    const rows = Array.from({ length: table.rows }, (_, i) => {
      const row = table.values.subarray(i * p, (i + 1) * p)
      return [...row, value(row, table.label[i] as number, site)]
    })
    return tableOf(
      features.map((feature) => feature.name),
      rows,
      Array.from(table.label),
    )
  }
  return { features, sites: mapSites(({ train, test }, site) => ({ train: extend(train, site), test: extend(test, site) })) }
}

const mapSites = (change: (table: SplitTable, site: string, i: number) => SplitTable): SiteTables =>
  Object.fromEntries(Object.entries(sites).map(([site, table], i) => [site, change(table, site, i)]))
const withLabels = (label: (site: number) => number): Case => ({
  features: cohort.features,
  sites: mapSites((table, _, i) => ({ ...table, train: { ...table.train, label: table.train.label.map(() => label(i)) } })),
})

async function run(
  learner: LearnerSpec,
  { features, sites: tables, label = cohort.label }: Case,
): Promise<{ code: string | undefined; columns: string[]; res: RegressionResults; rounds: number; halved: number }> {
  const protocol = protocolOf(learner, features, label)
  const { final, rounds, models, finished } = await rehearse(protocol, tables, tools())
  assert.ok(finished)
  const problem = problemOf(final)
  assert.equal(problemError(final)?.code, problem?.code)
  for (const name of problem?.columns ?? []) assert.match(problemError(final)?.message ?? '', new RegExp(name))
  return {
    code: problem?.code,
    columns: [...(problem?.columns ?? [])].sort(),
    res: results(final, protocol) as RegressionResults,
    rounds: rounds.length,
    halved: models.filter((model) => (model.state.halvings as number) > 0).length,
  }
}

const copy: Case = withColumn('age_again', [0, 200], (row) => row[0] as number)
const combination: Case = withColumn('combination', [-500, 500], (row) => 2 * (row[0] as number) - (row[2] as number) + 3)
const constant: Case = withColumn('constant', [0, 200], () => 7)
const marker: Case = withColumn('marker', [-10, 10], (_, y) => 2 * y - 1 + random.uniform())
const rare: Case = withColumn('rare', [0, 1], (_, y) => (y === 1 && random.uniform() < 0.05 ? 1 : 0))

describe('what a fit cannot answer', () => {
  it('given collinear columns, it ends after one step and names all that are involved, and none else', async () => {
    const first = await run(newton('logistic'), copy)
    assert.deepEqual([first.code, first.columns, first.rounds], ['ROTA-2201', ['age', 'age_again'], 2])
    assert.equal(first.res.converged, false)
    assert.deepEqual((await run(newton('logistic'), combination)).columns, ['age', 'combination', 'systolic_bp'])
    assert.deepEqual((await run(newton('linear'), { ...combination, label: asNumber })).columns, ['age', 'combination', 'systolic_bp'])
    assert.equal((await run(newton('logistic', { siteIntercepts: true }), copy)).code, 'ROTA-2201')
  })

  it('given columns that are only nearly collinear, it settles', async () => {
    const { code, res } = await run(
      newton('logistic'),
      withColumn('near', [0, 200], (row) => (row[0] as number) + random.uniform() / 20),
    )
    assert.equal(code, undefined)
    assert.ok((res.se?.[0] as number) > 10)
  })

  it('given a constant column, or one that is constant at each site beside private intercepts, it names it', async () => {
    const perSite = withColumn('beds', [0, 2000], (_, __, site) => 100 * site.length)
    assert.deepEqual([(await run(newton('logistic'), constant)).code, (await run(newton('logistic'), constant)).columns], ['ROTA-2205', ['constant']])
    assert.equal((await run(newton('logistic'), perSite)).code, undefined)
    const own = await run(newton('logistic', { siteIntercepts: true }), perSite)
    assert.deepEqual([own.code, own.columns], ['ROTA-2205', ['beds']])
  })

  for (const siteIntercepts of [false, true]) {
    it(`given a column that separates the outcomes, wholly or by a rare flag, it names it${siteIntercepts ? ' (private intercepts)' : ''}`, async () => {
      const whole = await run(newton('logistic', { siteIntercepts }), marker)
      assert.deepEqual([whole.code, whole.columns], ['ROTA-2202', ['marker']])
      const quasi = await run(newton('logistic', { siteIntercepts }), rare)
      assert.deepEqual([quasi.code, quasi.columns], ['ROTA-2202', ['rare']])
      assert.ok(whole.rounds < 25 && quasi.rounds < 25)
    })
  }

  it('given a flag under which a Poisson count is always zero, it names it', async () => {
    const flag = withColumn('never', [0, 1], (_, y) => (y === 0 && random.uniform() < 0.05 ? 1 : 0))
    assert.deepEqual((await run(newton('poisson'), { ...flag, label: asCount })).columns, ['never'])
  })

  it('given L2, collinear, constant and separating columns go through', async () => {
    for (const data of [copy, combination, constant, marker, rare]) {
      const { code, res } = await run(newton('logistic', { l2: 0.01 }), data)
      assert.equal(code, undefined)
      assert.ok(res.coef.every((c) => c !== null && Math.abs(c) < 10))
      assert.deepEqual([res.se, res.p, res.ci95], [null, null, null])
    }
  })

  it('given strong effects, rare flags or far outliers that do not separate, it settles', async () => {
    const strong = withColumn('strong', [-10, 10], (_, y) => 1.2 * y + 1.6 * random.uniform())
    const flag = withColumn('flag', [0, 1], (_, y) => (random.uniform() < (y === 1 ? 0.03 : 0.005) ? 1 : 0))
    for (const data of [strong, flag]) assert.equal((await run(newton('logistic'), data)).code, undefined)
    for (const far of [10, 300, 1000]) {
      const x = [...Array.from({ length: 40 }, (_, i) => (i - 20) / 4), far]
      const y = x.map((v, i) => (i === 40 || v + 1.5 * Math.sin(i * 7) > 0 ? 1 : 0))
      assert.equal((await run(newton('logistic'), single(x, y, [-1000, 1000]))).code, undefined)
    }
  })

  it('given a count that jumps, the step is halved until it helps, and the fit settles on the true ratio', async () => {
    const x = Array.from({ length: 1000 }, (_, i) => (i < 3 ? 1 : 0))
    const y = x.map((_, i) => (i < 3 ? 900 + i : i % 3))
    const { code, res, halved } = await run(newton('poisson', { maxIterations: 60 }), { ...single(x, y, [0, 1]), label: { ...asCount, range: [0, 1000] } })
    assert.equal(code, undefined)
    assert.ok(halved >= 3)
    const low = y.slice(3).reduce((a, b) => a + b, 0) / 997
    assert.ok(Math.abs((res.raw.coef[0] as number) - Math.log(901 / low)) < 1e-6)
  })

  it('given one outcome only, pooled or at each hospital with private intercepts, it names the label; fedavg goes through', async () => {
    const ones = withLabels(() => 1)
    const { code, columns } = await run(newton('logistic'), ones)
    assert.deepEqual([code, columns], ['ROTA-2203', ['readmitted']])
    assert.equal((await run(newton('logistic', { l2: 1 }), ones)).code, 'ROTA-2203')
    assert.equal(
      (
        await run(
          newton('logistic', { siteIntercepts: true }),
          withLabels((i) => i % 2),
        )
      ).code,
      'ROTA-2203',
    )
    assert.equal((await run(newton('poisson'), { ...withLabels(() => 0), label: asCount })).code, 'ROTA-2203')
    assert.equal((await run(fedavg(3, 2), ones)).code, undefined)
  })

  it('given one outcome only, what is left foretells it, so that it can be compared', async () => {
    const protocol = protocolOf(newton('logistic', { l2: 0.01 }), cohort.features, cohort.label)
    const { final } = await rehearse(protocol, withLabels(() => 1).sites, tools())
    assert.ok((predictorOf(final, protocol)?.(Object.values(sites)[0]?.train.values.subarray(0, 8) as Float64Array) as number) > 0.999)
  })

  it('given fewer rows than columns, or none, it says so', async () => {
    const few: Case = {
      features: cohort.features,
      sites: { one: { train: head(Object.values(sites)[0] as SplitTable, 6), test: noRows(cohort.features.map((f) => f.name)) } },
    }
    assert.equal((await run(newton('logistic'), few)).code, 'ROTA-2206')
    assert.equal((await run(newton('linear'), { ...few, label: asNumber })).code, 'ROTA-2206')
    const none = await rehearse(protocolOf(newton('logistic'), cohort.features, cohort.label), {}, tools())
    assert.equal(none.finished, false)
  })

  it('given too few iterations, it names what still moved; given too few rounds, it is not finished', async () => {
    assert.equal((await run(newton('logistic', { maxIterations: 2 }), { features: cohort.features, sites })).code, 'ROTA-2204')
    const { finished } = await rehearse(protocolOf(newton('logistic'), cohort.features, cohort.label, { maxRounds: 3 }), sites, tools())
    assert.equal(finished, false)
  })
})

describe('what a learner refuses at the site, before anything is sent', () => {
  const protocol = protocolOf(newton('logistic'), cohort.features, cohort.label, { cohort: { rule: '', minRows: 1, maxRows: 400 } })
  const first = Object.values(sites)[0] as SplitTable
  const refuse = (train: Table, code: string) => assert.rejects(rehearse(protocol, { ...sites, bad: { ...first, train } }, tools()), { code })
  const changed = (at: number, value: number): Table => ({ ...first.train, values: first.train.values.map((x, i) => (i === at ? value : x)) })

  it('given a value that is out of range or missing, it names the column and never the row', async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 17.9, 1e9]) await refuse(changed(8, value), 'ROTA-2105')
    await assert.rejects(
      rehearse(protocol, { bad: { ...first, train: changed(8, 300) } }, tools()),
      (error: Error) => /age/.test(error.message) && !/300/.test(error.message),
    )
  })

  it('given a label of three values, more rows than maxRows, or other columns, it refuses', async () => {
    await refuse({ ...first.train, label: first.train.label.map((y, i) => (i === 3 ? 0.5 : y)) }, 'ROTA-2105')
    const row = Array.from(first.train.values.subarray(0, 8))
    await refuse(tableOf(first.train.columns, new Array(401).fill(row), new Array<number>(401).fill(0)), 'ROTA-2106')
    await refuse({ ...first.train, columns: first.train.columns.toReversed() }, 'ROTA-2110')
  })

  it('given a diverging fedavg, it refuses the weight by name', async () => {
    const wild = protocolOf(fedavg(50, 50, { learningRate: 1000, l2: 1 }), cohort.features, cohort.label)
    await assert.rejects(rehearse(wild, sites, tools()), { code: 'ROTA-2102' })
  })
})

function single(x: readonly number[], y: readonly number[], range: readonly [number, number]): Case {
  return {
    features: [{ name: 'x', description: '', unit: '1', range, missing: 'refuse' }],
    sites: {
      only: {
        train: tableOf(
          ['x'],
          x.map((v) => [v]),
          y,
        ),
        test: noRows(['x']),
      },
    },
  }
}

function head({ train }: SplitTable, rows: number): Table {
  const p = train.columns.length
  return tableOf(
    train.columns,
    Array.from({ length: rows }, (_, i) => Array.from(train.values.subarray(i * p, (i + 1) * p))),
    Array.from({ length: rows }, (_, i) => i % 2),
  )
}
