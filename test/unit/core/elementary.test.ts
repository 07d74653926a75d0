import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { logGamma, normalTwoSided, studentQuantile, studentTwoSided } from '#core/evaluation/distributions.ts'
import { exp, log, logFactorial, sigmoid, softplus, tanh } from '#core/learner/elementary.ts'
import { FixedSums, roundHalfEven, toFixedPoint } from '#core/learner/fixed-sums.ts'
import { dependence, factorise, invert, solve } from '#core/learner/linear-algebra.ts'
import { Seeded } from '#core/model/seeded.ts'

const close = (actual: number, expected: number, relative: number, what = ''): void =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.max(Math.abs(expected), Number.MIN_VALUE), `${what}: ${actual} is not ${expected}`)

describe('elementary functions of + − × ÷', () => {
  it('given any argument, exp and log agree with the engine’s to 4e-16 and 1e-15', () => {
    const random = new Seeded(1)
    for (let i = 0; i < 20_000; i++) {
      const x = (random.uniform() - 0.5) * 1400
      close(exp(x), Math.exp(x), 5e-16 + 2e-16 * 1, `exp ${x}`)
      const y = Math.exp((random.uniform() - 0.5) * 1400)
      assert.ok(Math.abs(log(y) - Math.log(y)) <= 1e-15 * Math.max(1, Math.abs(Math.log(y))), `log ${y}`)
      const near = 1 + (random.uniform() - 0.5) / 10
      close(log(near), Math.log(near), 1e-15, `log ${near}`)
    }
  })

  it('given the ends of its range, exp stays finite and normal', () => {
    assert.ok(Number.isFinite(exp(1e6)) && exp(-1e6) > 1e-308)
    assert.equal(exp(0), 1)
    assert.equal(log(1), 0)
  })

  it('given 0 … 200, logFactorial is ln n!', () => {
    let expected = 0
    for (let n = 1; n <= 200; n++) {
      expected += Math.log(n)
      assert.ok(Math.abs(logFactorial(n) - expected) < 1e-12 * Math.max(1, expected), `${n}!`)
    }
    assert.ok(Math.abs(logFactorial(0)) < 1e-13)
  })

  it('given arguments of either sign, sigmoid, softplus and tanh agree with their definitions', () => {
    for (let x = -40; x <= 40; x += 0.37) {
      close(sigmoid(x), 1 / (1 + Math.exp(-x)), 1e-14, `sigmoid ${x}`)
      assert.ok(Math.abs(softplus(x) - (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))) < 1e-14)
      assert.ok(Math.abs(tanh(x) - Math.tanh(x)) < 1e-15)
    }
  })
})

describe('fixed point', () => {
  it('given halves, it rounds to even', () => {
    assert.deepEqual([0.5, 1.5, 2.5, 3.5, -1.5, -2.5, 2.4999, 2 ** 53 + 2].map(roundHalfEven), [0, 2, 2, 4, -2, -2, 2, 2 ** 53 + 2])
    assert.equal(toFixedPoint(1.5 / 2 ** 32, 32), 2n)
    assert.equal(toFixedPoint(-123.25, 32), -123n * 2n ** 32n - 2n ** 30n)
    assert.equal(toFixedPoint(2 ** 21, 40), 2n ** 61n)
  })

  it('given sums beyond 2^53, they stay exact integers and the order of rows does not matter', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => (i % 2 ? -1000.1 : 1023.3) + i / 7919)
    const total = (values: readonly number[]): bigint => {
      const sums = new FixedSums(1, 40, 1024)
      for (const x of values) {
        sums.add(0, x)
        sums.endRow()
      }
      return sums.total()[0] as bigint
    }
    const plain = rows.reduce((sum, x) => sum + toFixedPoint(x, 40), 0n)
    assert.equal(total(rows), plain)
    assert.equal(total(rows.toReversed()), plain)
    const large = new Array<number>(8_000).fill(1023.7)
    assert.equal(total(large), 8_000n * toFixedPoint(1023.7, 40))
    assert.ok(total(large) > 2n ** 53n)
  })
})

describe('linear algebra', () => {
  const a = Float64Array.of(4, 2, 0.6, 2, 5, 1, 0.6, 1, 3)
  it('given a positive definite matrix, it solves and inverts', () => {
    const factor = factorise(a, 3, 0)
    const x = solve(factor, [1, 2, 3])
    for (let i = 0; i < 3; i++) assert.ok(Math.abs([0, 1, 2].reduce((sum, k) => sum + (a[i * 3 + k] as number) * (x[k] as number), 0) - (i + 1)) < 1e-14)
    const inverse = invert(factor)
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) {
        const product = [0, 1, 2].reduce((sum, k) => sum + (a[i * 3 + k] as number) * (inverse[k * 3 + j] as number), 0)
        assert.ok(Math.abs(product - (i === j ? 1 : 0)) < 1e-14)
      }
  })

  it('given a column that follows from those before it, it says which and how', () => {
    // third = 2 · first − second, as Gram matrix of orthonormal first and second
    const factor = factorise(Float64Array.of(1, 0, 2, 0, 1, -1, 2, -1, 5), 3, 1e-9)
    assert.equal(factor.dependent, 2)
    assert.deepEqual(Array.from(dependence(factor)), [2, -1])
  })
})

describe('distributions', () => {
  // erfc(z / √2) of the C library.
  const normal: [number, number][] = [
    [0, 1],
    [0.1, 0.920344325445942],
    [1, 0.31731050786291415],
    [1.959963984540054, 0.05],
    [3, 0.0026997960632601913],
    [6, 1.9731752900754024e-9],
    [10, 1.5239706048321186e-23],
    [30, 9.813427854297528e-198],
  ]
  it('given z, the two-sided normal tail is right to 1e-13, far tails included', () => {
    for (const [z, p] of normal) close(normalTwoSided(z), p, 1e-12, `z ${z}`)
    assert.equal(normalTwoSided(-3), normalTwoSided(3))
  })

  it('given t and few or many degrees of freedom, the two-sided Student tail is right', () => {
    close(studentTwoSided(1, 1), 0.5, 1e-13) // Cauchy
    close(studentTwoSided(2, 1), 1 - (2 / Math.PI) * Math.atan(2), 1e-13)
    close(studentTwoSided(Math.SQRT2, 2), 1 - Math.SQRT1_2, 1e-13) // 1 − t/√(2 + t²)
    close(studentTwoSided(2.5, 4), 1 - (2.5 / Math.sqrt(10.25)) * (1 + 0.5 * (4 / 10.25)), 1e-12)
    for (const t of [0.01, 0.5, 2, 5]) close(studentTwoSided(t, 1e12), normalTwoSided(t), 1e-9)
    for (const df of [59.9, 60.1]) close(studentTwoSided(2, df), studentTwoSided(2, 60), 1e-3)
    close(studentTwoSided(3, 1.00001e7), studentTwoSided(3, 0.99999e7), 1e-11)
    close(studentTwoSided(2, 60.0000001), studentTwoSided(2, 59.9999999), 1e-9)
    assert.equal(studentTwoSided(0, 5), 1)
    assert.equal(studentTwoSided(Number.POSITIVE_INFINITY, 5), 0)
  })

  it('given a tail, the Student quantile leads back to it', () => {
    for (const df of [1, 3, 30, 473]) close(studentTwoSided(studentQuantile(0.05, df), df), 0.05, 1e-12)
    close(studentQuantile(0.05, 1), Math.tan(Math.PI * 0.475), 1e-12)
  })

  it('given halves and wholes, logGamma is right', () => {
    close(logGamma(0.5), Math.log(Math.PI) / 2, 1e-14)
    close(logGamma(11), Math.log(3_628_800), 1e-14)
    close(logGamma(100), 359.1342053695754, 1e-14)
  })
})
