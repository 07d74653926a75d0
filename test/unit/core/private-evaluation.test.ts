import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { binaryMetrics } from '#core/evaluation/metrics.ts'
import { GaussianNoise } from '#core/learner/private/noise.ts'
import { numberMetrics, outcomeMetrics } from '#core/learner/private/score-metrics.ts'
import { AT, binOf, LOSS_LIMIT, releaseTest, SCORE_BINS, testLength, testSensitivity } from '#core/learner/private/score-sums.ts'
import { SharedNoise } from '#core/learner/private/shared-noise.ts'
import { grouped, oneRowEach } from '#core/learner/private/units.ts'
import { setupOf } from '#core/learner/setup.ts'
import type { ModelState } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { Table } from '#core/model/table.ts'
import { newton, protocolOf } from './support.ts'

/*
  Test metrics of a private study
  ├── a patient moves the sums by their sensitivity at most, whatever it has been foretold, and by that at the worst
  ├── with next to no noise they are the plain ones
  ├── intervals of accuracy, AUC, log loss, rms error and R² hold the population's, with local noise and with shares; rows' alone would not
  └── where noise drowns the counts there is no number, and never one that is none
*/
const protocol = protocolOf(
  newton('logistic'),
  [{ name: 'x', description: '', unit: '1', range: [-5, 5], missing: 'refuse' }],
  { name: 'y', description: '', unit: '1', kind: 'binary', range: [0, 1] },
  { maxSites: 4 },
)
const setup = setupOf(protocol)
const numbers = setupOf({ ...protocol, learner: newton('linear'), label: { ...protocol.label, kind: 'number', range: [-10, 10] } })

const normal = (random: Seeded): number => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
const predictOutcome = (row: ArrayLike<number>): number => 1 / (1 + Math.exp(-(1.2 * (row[0] as number) - 0.3)))
const predictNumber = (row: ArrayLike<number>): number => 2 * (row[0] as number)

/** Rows of a population in which the model is a little too sure. */
function drawRows(rows: number, random: Seeded, isBinary: boolean): Table {
  const values = Float64Array.from({ length: rows }, () => Math.max(-5, Math.min(5, 1.3 * normal(random))))
  const label = values.map((x) => {
    if (!isBinary) return Math.max(-10, Math.min(10, 2 * x + 1.5 * normal(random)))
    return random.uniform() < 1 / (1 + Math.exp(-(0.9 * x - 0.2))) ? 1 : 0
  })
  return { columns: ['x'], rows, values, label }
}

interface Release {
  readonly rows: number
  readonly sites: number
  readonly noise: number
  readonly shares?: number
  readonly isBinary?: boolean
}

/** As sites release and all advance. */
function judged({ rows, sites, noise, shares, isBinary = true }: Release, random: Seeded): ModelState {
  const sum = new BigInt64Array(testLength(isBinary))
  const policy = { noise, rowsPerPatient: 1 }
  const its = isBinary ? setup : numbers
  for (let site = 0; site < sites; site++) {
    const table = drawRows(rows, random, isBinary)
    const drawn = shares === undefined ? new GaussianNoise(random) : new SharedNoise(random, shares)
    releaseTest(its, isBinary, table, oneRowEach(rows), isBinary ? predictOutcome : predictNumber, policy, drawn).forEach((x, i) => {
      sum[i] = (sum[i] as bigint) + x
    })
  }
  const at = (i: number): number => Number(sum[i]) / its.fractionScale
  const deviation = noise * testSensitivity(isBinary, policy) * Math.sqrt(shares === undefined ? sites : sites / shares)
  return isBinary ? outcomeMetrics(at, deviation) : numberMetrics(at, deviation, its.labelHalf)
}

const population = drawRows(200_000, new Seeded(99), true)
const scores = Float64Array.from({ length: population.rows }, (_, i) => predictOutcome([population.values[i] as number]))
const cutLoss = scores.reduce((sum, p, i) => sum + Math.min(LOSS_LIMIT, -Math.log(population.label[i] === 1 ? p : 1 - p)), 0) / population.rows
const plain = binaryMetrics(scores, population.label)
const TRUTH: Readonly<Record<string, number>> = { accuracy: plain.accuracy as number, aucHistogram: plain.auc as number, logLoss: cutLoss }

describe('a patient who tests', () => {
  for (const [isBinary, its] of [
    [true, setup],
    [false, numbers],
  ] as const)
    it(`moves the sums of ${isBinary ? 'outcomes' : 'numbers'} by their sensitivity at most, and by that at the worst`, () => {
      const random = new Seeded(4)
      const policy = { noise: 1, rowsPerPatient: 3 }
      const limit = testSensitivity(isBinary, policy)
      const silent = { share: () => 0n } as unknown as SharedNoise
      let most = 0
      for (let i = 0; i < 400; i++) {
        const rows = 1 + (i % 6)
        const table = drawRows(rows, random, isBinary)
        // What is foretold: anything, and the worst.
        const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1, 0.5, 1e300, -1e300][i % 8] as number
        if (!isBinary) table.label.fill(i % 3 === 0 ? 10 : (table.label[0] as number))
        if (isBinary && i % 2 === 0) table.label.fill(1)
        const sum = releaseTest(its, isBinary, table, grouped(new Uint32Array(rows), 1), () => odd, policy, silent)
        const norm = Math.sqrt(sum.reduce((total, x) => total + (Number(x) / its.fractionScale) ** 2, 0))
        assert.ok(norm <= limit, `${norm} of ${limit}`)
        most = Math.max(most, norm)
      }
      assert.ok(most > 0.999 * limit, `${most} of ${limit}`)
    })

  it('has its score in a bin of the log odds', () => {
    const odds = (x: number): number => 1 / (1 + Math.exp(-x))
    assert.deepEqual([odds(-9), odds(-4.4), odds(-0.1), odds(0.1), odds(4.4), odds(9)].map(binOf), [0, 0, 5, 6, 11, 11])
    assert.equal(AT.negatives + SCORE_BINS, testLength(true))
  })
})

describe('test metrics with noise', () => {
  it('are the plain ones where there is next to none', () => {
    const found = judged({ rows: 20_000, sites: 4, noise: 0.01 }, new Seeded(2))
    for (const [name, truth] of Object.entries(TRUTH)) assert.ok(Math.abs((found[name] as number) - truth) < 0.012, `${name}: ${found[name]} ${truth}`)
    assert.ok(Math.abs((found.n as number) - 80_000) < 1)
    const number = judged({ rows: 20_000, sites: 4, noise: 0.01, isBinary: false }, new Seeded(2))
    assert.ok(Math.abs((number.rmse as number) - 1.5) < 0.02 && Math.abs((number.r2 as number) - (1 - 1.5 ** 2 / (4 * 1.69 + 2.25))) < 0.02)
  })

  for (const [what, shares] of [
    ['each site has all', undefined],
    ['sites make together', 3],
  ] as const)
    it(`have intervals that hold the population's, of noise that ${what}`, (t) => {
      const random = new Seeded(11)
      const REPEATS = 400
      const held: Record<string, number> = {}
      const said: Record<string, number> = {}
      let narrow = 0
      for (let i = 0; i < REPEATS; i++) {
        const found = judged({ rows: 150, sites: 4, noise: shares === undefined ? 4 : 7, ...(shares === undefined ? {} : { shares }) }, random)
        const ci95 = found.ci95 as Readonly<Record<string, readonly [number, number] | null>>
        for (const [name, truth] of [...Object.entries(TRUTH), ['n', 600] as const]) {
          const interval = ci95[name]
          if (!interval) continue
          said[name] = (said[name] ?? 0) + 1
          if (interval[0] <= truth && truth <= interval[1]) held[name] = (held[name] ?? 0) + 1
        }
        const reach = 1.96 * Math.sqrt(((TRUTH.accuracy as number) * (1 - (TRUTH.accuracy as number))) / 600)
        if (Math.abs((found.accuracy as number) - (TRUTH.accuracy as number)) <= reach) narrow++
      }
      t.diagnostic(`of ${REPEATS}: ${JSON.stringify({ said, held, narrow })}`)
      for (const name of ['accuracy', 'aucHistogram', 'logLoss', 'n']) {
        assert.ok((said[name] ?? 0) >= 0.85 * REPEATS, `${name}: said in ${said[name]} of ${REPEATS}`)
        assert.ok((held[name] ?? 0) >= 0.92 * (said[name] ?? 0), `${name}: ${held[name]} of ${said[name]}`)
      }
      // Not by being as wide as can be, and intervals of the rows alone would not hold.
      assert.ok((held.accuracy as number) <= 0.985 * REPEATS && narrow < 0.88 * REPEATS, `${narrow}`)
    })

  it('of numbers have such intervals too', () => {
    const random = new Seeded(12)
    const truth = { rmse: 1.5, r2: 1 - 1.5 ** 2 / (4 * 1.69 + 2.25) }
    const held = { rmse: 0, r2: 0 }
    const REPEATS = 300
    for (let i = 0; i < REPEATS; i++) {
      const { ci95 } = judged({ rows: 400, sites: 4, noise: 2, isBinary: false }, random) as {
        ci95: Readonly<Record<'rmse' | 'r2', readonly [number, number]>>
      }
      for (const name of ['rmse', 'r2'] as const) if (ci95[name][0] <= truth[name] && truth[name] <= ci95[name][1]) held[name]++
    }
    assert.ok(held.rmse >= 0.92 * REPEATS && held.r2 >= 0.92 * REPEATS, JSON.stringify(held))
  })

  it('are no numbers where noise drowns the counts, and never NaN', () => {
    const random = new Seeded(13)
    let [none, some] = [0, 0]
    for (let i = 0; i < 600; i++)
      for (const isBinary of [true, false]) {
        const found = judged({ rows: i % 40, sites: 1 + (i % 3), noise: [0.3, 3, 40][i % 3] as number, isBinary }, random)
        assert.doesNotMatch(
          JSON.stringify(found, (_, x: unknown) => (typeof x === 'number' && !Number.isFinite(x) ? 'NaN' : x)),
          /NaN/,
        )
        const value = isBinary ? found.accuracy : found.rmse
        if (value === null) none++
        else some++
        if ((found.n as number) < 0) assert.equal(value, null)
        for (const [name, low, high] of [
          ['accuracy', 0, 1],
          ['aucHistogram', 0, 1],
          ['logLoss', 0, LOSS_LIMIT],
          ['rmse', 0, 10],
        ] as const)
          if (typeof found[name] === 'number') assert.ok((found[name] as number) >= low && (found[name] as number) <= high, name)
      }
    assert.ok(none > 400 && some > 200, `${none} ${some}`)
  })
})
