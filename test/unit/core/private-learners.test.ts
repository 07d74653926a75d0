import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isRotaError } from '#base/errors.ts'
import { estimate, type PrivateEstimate, type PrivateFit, rawEstimates } from '#core/learner/private/estimates.ts'
import { fitLinear, linearSensitivity, releaseLinear } from '#core/learner/private/linear.ts'
import { advanceLogistic, logisticSensitivity, type PrivateLogisticPolicy, releaseLogistic } from '#core/learner/private/logistic.ts'
import { GaussianNoise } from '#core/learner/private/noise.ts'
import type { PrivateSetup } from '#core/learner/private/rows.ts'
import { leastEigenvalue } from '#core/learner/private/solve.ts'
import { describeStatistics, releaseStatistics, statisticsSensitivity } from '#core/learner/private/statistics.ts'
import { checkNoiseFits, PrivateSum } from '#core/learner/private/sums.ts'
import { drawPatients, grouped, groupPatients, oneRowEach, type Patients } from '#core/learner/private/units.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { Table } from '#core/model/table.ts'
import { tableOf } from './support.ts'

/*
  Private learners
  ├── noise is Gaussian, tails included; draws of patients are independent
  ├── whatever a patient's rows are, its part is below the sensitivity, and a worst patient reaches it
  ├── a sum is released once
  ├── intervals hold the truth as often as they say, and would not if they left the noise out
  └── refuse rows without a patient, small cohorts, noise out of range, noise that overflows the ring
*/
const STEPS = 2 ** 32
const setup: PrivateSetup = { names: ['a', 'b'], middle: [10, 0], half: [5, 2], labelMiddle: 0, labelHalf: 6, fractionBits: 32 }
const binary: PrivateSetup = { ...setup, labelMiddle: 0.5, labelHalf: 0.5 }
const policy = { noise: 2, rowsPerPatient: 2 }
const logistic: PrivateLogisticPolicy = { ...policy, rowNorm: 1.5, penalty: 0 }
const linear = { ...policy, rowNorm: 1.4 }

describe('noise', () => {
  it('has the moments and the tails of a normal variable, and as many draws between its quantiles', () => {
    const noise = new GaussianNoise(new Seeded(7))
    const draws = Float64Array.from({ length: 400_000 }, () => noise.next())
    const mean = (of: (x: number) => number): number => draws.reduce((sum, x) => sum + of(x), 0) / draws.length
    const close = (value: number, expected: number, sd: number): void =>
      assert.ok(Math.abs(value - expected) < (4.5 * sd) / Math.sqrt(draws.length), `${value} ${expected}`)
    close(
      mean((x) => x),
      0,
      1,
    )
    close(
      mean((x) => x * x),
      1,
      Math.SQRT2,
    )
    close(
      mean((x) => x ** 4),
      3,
      Math.sqrt(96),
    )
    const BELOW: readonly (readonly [number, number])[] = [
      [-3.7, 1.078e-4],
      [-2, 0.0227501],
      [-1, 0.1586553],
      [-0.2, 0.4207403],
      [0.5, 0.6914625],
      [1.5, 0.9331928],
      [3.7, 0.9998922],
    ]
    for (const [x, share] of BELOW)
      close(
        mean((z) => (z < x ? 1 : 0)),
        share,
        Math.sqrt(share * (1 - share)),
      )
  })

  it('rounded to a grid, coarse or finer than a float can tell, has the probabilities of its points', () => {
    const noise = new GaussianNoise(new Seeded(8))
    const coarse = Array.from({ length: 100_000 }, () => noise.rounded(0.7))
    for (const [n, share] of [
      [0, 0.524942],
      [1, 0.221468],
      [-2, 0.0158894],
    ] as const)
      assert.ok(Math.abs(coarse.filter((x) => x === n).length / coarse.length - share) < 4.5 * Math.sqrt(share / coarse.length), `${n}`)
    const scale = 2 ** 46
    const fine = Float64Array.from({ length: 20_000 }, () => noise.rounded(scale))
    assert.ok(fine.every(Number.isInteger))
    // The lowest bits are coins, also where a float of the draw has none of its own.
    for (const bit of [1, 2, 4]) assert.ok(Math.abs(fine.filter((x) => Math.floor(Math.abs(x) / bit) % 2 === 1).length - 10_000) < 320)
    assert.ok(Math.abs(fine.reduce((sum, x) => sum + (x / scale) ** 2, 0) / fine.length - 1) < 0.045)
  })

  it('given a rate, each patient is drawn by a coin of its own', () => {
    const random = new Seeded(3)
    const sizes = Array.from({ length: 2_000 }, () => drawPatients(50, 0.3, random).length)
    const mean = sizes.reduce((a, b) => a + b) / 2_000
    const variance = sizes.reduce((sum, n) => sum + (n - mean) ** 2, 0) / 2_000
    assert.ok(Math.abs(mean - 15) < 0.4 && Math.abs(variance - 10.5) < 1.5)
    assert.equal(drawPatients(20, 1, random).length, 20)
    assert.equal(drawPatients(20, 1e-9, random).length, 0)
  })
})

/** Rows of all sizes, also beyond their ranges, and no numbers at all. */
function wildTable(rows: number, random: Seeded, label: () => number): Table {
  const wild = (): number => {
    const kind = random.uniform()
    return kind < 0.05 ? Number.POSITIVE_INFINITY : kind < 0.1 ? Number.NaN : (random.uniform() - 0.5) * (kind < 0.5 ? 100 : 30)
  }
  return tableOf(
    setup.names,
    Array.from({ length: rows }, () => [wild(), wild()]),
    Array.from({ length: rows }, label),
  )
}

const without = (patients: Patients): Patients => ({ ...patients, count: patients.count - 1 })

describe('a patient', () => {
  const releases = {
    statistics: {
      sensitivity: statisticsSensitivity(setup, policy),
      of: (t: Table, p: Patients, noise: GaussianNoise) => releaseStatistics(setup, 4, t, p, policy, noise),
    },
    linear: { sensitivity: linearSensitivity(linear), of: (t: Table, p: Patients, noise: GaussianNoise) => releaseLinear(setup, t, p, linear, noise) },
    logistic: {
      sensitivity: logisticSensitivity(logistic),
      of: (t: Table, p: Patients, noise: GaussianNoise, coef = Float64Array.of(1, -2, 3)) => releaseLogistic(binary, t, p, coef, logistic, noise),
    },
  }
  const part = (of: (noise: GaussianNoise) => BigInt64Array, ofLess: (noise: GaussianNoise) => BigInt64Array, seed: number): number => {
    const [more, less] = [of(new GaussianNoise(new Seeded(seed))), ofLess(new GaussianNoise(new Seeded(seed)))]
    return Math.sqrt(more.reduce((sum, x, i) => sum + (Number(x - (less[i] as bigint)) / STEPS) ** 2, 0))
  }

  for (const [name, { sensitivity, of }] of Object.entries(releases)) {
    it(`moves the ${name} by its sensitivity at most, whatever its rows are`, () => {
      for (let seed = 1; seed <= 60; seed++) {
        const random = new Seeded(seed)
        const numbers = Uint32Array.from({ length: 12 }, (_, i) => (i < 4 ? i : Math.floor(4 * random.uniform())))
        const table = wildTable(12, random, () => (name === 'logistic' ? Math.round(random.uniform()) : 20 * (random.uniform() - 0.5)))
        const patients = grouped(numbers, 4)
        const moved = part(
          (noise) => of(table, patients, noise),
          (noise) => of(table, without(patients), noise),
          seed,
        )
        assert.ok(moved <= sensitivity, `${moved} ${sensitivity}`)
      }
    })
  }

  it('reaches the sensitivity where its rows are the worst there are', () => {
    const corner = tableOf(
      setup.names,
      [
        [15, 2],
        [15, 2],
      ],
      [6, 6],
    )
    const two = grouped(Uint32Array.of(0, 0), 1)
    const moved = (name: 'linear' | 'statistics'): number =>
      part(
        (n) => releases[name].of(corner, two, n),
        (n) => releases[name].of(corner, without(two), n),
        1,
      )
    assert.ok(moved('linear') > 0.999 * releases.linear.sensitivity && moved('statistics') > 0.999 * releases.statistics.sensitivity)
    const certain = tableOf(
      setup.names,
      [
        [15, 2],
        [15, 2],
      ],
      [0, 0],
    )
    const ofLogistic = (p: Patients) => (n: GaussianNoise) => releases.logistic.of(certain, p, n, Float64Array.of(9, 9, 9))
    assert.ok(part(ofLogistic(two), ofLogistic(without(two)), 1) > 0.999 * releases.logistic.sensitivity)
  })

  it('is in a sum that is told once', () => {
    const sum = new PrivateSum(1, 32, 1)
    sum.addPatient(Float64Array.of(0.25))
    const noise = new GaussianNoise(new Seeded(1))
    sum.release(policy, noise)
    assert.throws(() => sum.release(policy, noise), TypeError)
  })
})

/** a, b → a label of either kind with known coefficients. */
function sample(rows: number, random: Seeded, kind: 'logistic' | 'linear'): Table {
  const normal = (): number => Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
  const features = Array.from({ length: rows }, () => [10 + 1.5 * Math.max(-3, Math.min(3, normal())), 1.8 * (2 * random.uniform() - 1)] as const)
  const labelOf = ([a, b]: readonly [number, number]): number =>
    kind === 'linear' ? 0.2 * (a - 10) + 0.5 * b + 0.6 * normal() : random.uniform() < 1 / (1 + Math.exp(4 - 0.35 * a - 0.8 * b)) ? 1 : 0
  return tableOf(
    setup.names,
    features.map((row) => [...row]),
    features.map(labelOf),
  )
}

const isIn = ({ ci95 }: PrivateEstimate, truth: number): boolean => ci95 !== null && ci95[0] <= truth && truth <= ci95[1]
/** Of 95 % and so many intervals: four deviations. */
const assertNominal = (share: number, count: number): void => assert.ok(Math.abs(share - 0.95) < 4 * Math.sqrt((0.95 * 0.05) / count), `${share} of ${count}`)

describe('intervals', () => {
  const [ROWS, RUNS] = [2_400, 80]
  const one = { noise: 2, rowsPerPatient: 1 }

  it('of a linear model hold the coefficients; without the noise they would not', () => {
    const each = { ...one, noise: 4, rowNorm: 1.6 }
    let [held, narrow] = [0, 0]
    for (let seed = 1; seed <= RUNS; seed++) {
      const table = sample(ROWS, new Seeded(seed), 'linear')
      const total = releaseLinear(setup, table, oneRowEach(ROWS), each, new GaussianNoise(new Seeded(9_000 + seed)))
      const of = (deviation: number) =>
        rawEstimates(
          setup,
          fitLinear(setup, (i) => Number(total[i]) / STEPS, deviation),
          6,
        )
      const inside = (estimates: readonly PrivateEstimate[]): number =>
        [0.2, 0.5, -2].reduce((sum, truth, j) => sum + (isIn(estimates[j] as PrivateEstimate, truth) ? 1 : 0), 0)
      held += inside(of(each.noise * linearSensitivity(each)))
      narrow += inside(of(0))
    }
    // The three coefficients of a fit are not independent: counted as one and a half.
    assertNominal(held / (3 * RUNS), 1.5 * RUNS)
    assert.ok(narrow / (3 * RUNS) < 0.6)
  })

  it('of a logistic model hold the coefficients after four steps', () => {
    const each: PrivateLogisticPolicy = { ...one, rowNorm: 1.5, penalty: 0 }
    let held = 0
    for (let seed = 1; seed <= RUNS; seed++) {
      const table = sample(ROWS, new Seeded(seed), 'logistic')
      const noise = new GaussianNoise(new Seeded(9_000 + seed))
      let fit: PrivateFit = { coef: new Float64Array(3), covariance: null }
      for (let step = 0; step < 4; step++) {
        const total = releaseLogistic(binary, table, oneRowEach(ROWS), fit.coef, each, noise)
        fit = advanceLogistic(binary, fit.coef, (i) => Number(total[i]) / STEPS, each.noise * logisticSensitivity(each), each)
      }
      const estimates = rawEstimates(binary, fit)
      held += [0.35, 0.8, -4].reduce((sum, truth, j) => sum + (isIn(estimates[j] as PrivateEstimate, truth) ? 1 : 0), 0)
    }
    assertNominal(held / (3 * RUNS), 1.5 * RUNS)
  })

  it('of statistics hold counts and means, and variances of a normal variable', () => {
    const each = { ...one, noise: 3 }
    let [counts, means, variances] = [0, 0, 0]
    for (let seed = 1; seed <= RUNS; seed++) {
      const table = sample(ROWS, new Seeded(seed), 'linear')
      const total = releaseStatistics(setup, 6, table, oneRowEach(ROWS), each, new GaussianNoise(new Seeded(9_000 + seed)))
      const [a, b, y] = describeStatistics(setup, 6, (i) => Number(total[i]) / STEPS, each.noise * statisticsSensitivity(setup, each))
      assert.ok(a && b && y)
      counts += [a, b, y].reduce((sum, { present }) => sum + (isIn(present, ROWS) ? 1 : 0), 0)
      means += [10, 0, 0].reduce((sum, truth, j) => sum + (isIn([a, b, y][j]?.mean as PrivateEstimate, truth) ? 1 : 0), 0)
      // Var y = (0.2 · 1.5)² (clipped at 3 deviations, which takes 0.5 % of it) + (0.5 · 1.8)² / 3 + 0.6²
      variances += isIn(y.variance as PrivateEstimate, 0.0896 + 0.27 + 0.36) ? 1 : 0
    }
    assertNominal(counts / (3 * RUNS), 3 * RUNS)
    assertNominal(means / (3 * RUNS), 2 * RUNS)
    assertNominal(variances / RUNS, RUNS)
  })

  it('are left out where noise drowns the rows, and so are means', () => {
    const table = sample(40, new Seeded(1), 'logistic')
    const loud: PrivateLogisticPolicy = { ...one, noise: 50, rowNorm: 1.5, penalty: 0 }
    const total = releaseLogistic(binary, table, oneRowEach(40), new Float64Array(3), loud, new GaussianNoise(new Seeded(2)))
    const fit = advanceLogistic(binary, new Float64Array(3), (i) => Number(total[i]) / STEPS, 50 * logisticSensitivity(loud), loud)
    assert.ok(fit.covariance === null && fit.coef.every(Number.isFinite))
    const [a] = describeStatistics(setup, 6, () => 0, 10)
    assert.ok(a?.mean === null && a.variance === null)
    assert.deepEqual(a.present.ci95, estimate(0, 100).ci95)
  })
})

describe('least eigenvalue', () => {
  it('is found below and above zero', () => {
    assert.ok(Math.abs(leastEigenvalue(Float64Array.of(2, 1, 1, 2), 2) - 1) < 1e-5)
    assert.ok(Math.abs(leastEigenvalue(Float64Array.of(0, 3, 3, 0), 2) + 3) < 1e-5)
  })
})

describe('private training refuses', () => {
  const patient = { unit: 'patient', minPatients: 2 } as const
  const code = (expected: string) => (error: unknown) => isRotaError(error) && error.code === expected

  it('rows without a patient where the unit is the patient', () => {
    assert.throws(() => groupPatients(2, null, patient), code('ROTA-2382'))
    assert.throws(() => groupPatients(2, ['x', null], patient), code('ROTA-2382'))
    assert.throws(() => groupPatients(3, ['x', 'y'], patient), code('ROTA-2382'))
    assert.equal(groupPatients(2, null, { ...patient, unit: 'row' }).count, 2)
  })

  it("a cohort below the policy's minimum, of patients and not of rows", () => {
    assert.throws(() => groupPatients(3, ['x', 'x', 'x'], patient), code('ROTA-2383'))
    const { count, starts, order } = groupPatients(4, ['x', 'y', 'x', 'y'], patient)
    assert.deepEqual([count, ...starts, ...order], [2, 0, 2, 4, 0, 2, 1, 3])
  })

  it('noise out of range, and noise that overflows the ring', () => {
    const room = { sites: 4, maxRows: 1_000, sensitivity: 4, fractionBits: 32, wordBits: 64 } as const
    checkNoiseFits(room, policy)
    for (const noise of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => checkNoiseFits(room, { ...policy, noise }), code('ROTA-2384'))
    for (const rowsPerPatient of [0, 1.5]) assert.throws(() => checkNoiseFits(room, { ...policy, rowsPerPatient }), code('ROTA-2384'))
    assert.throws(() => checkNoiseFits({ ...room, wordBits: 32 }, policy), code('ROTA-2385'))
    checkNoiseFits({ ...room, wordBits: 32, fractionBits: 12 }, policy)
    assert.throws(() => checkNoiseFits({ ...room, wordBits: 32, fractionBits: 12 }, { ...policy, noise: 9_000 }), code('ROTA-2385'))
    assert.throws(() => checkNoiseFits(room, { ...policy, noise: 1e5 }), code('ROTA-2385'))
  })
})
