import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { leastEpsilon, mostArea, mostFound } from '#core/evidence/privacy-region.ts'
import { clopperPearson } from '#core/evidence/proportion.ts'
import { separationOf } from '#core/evidence/separation.ts'
import { Seeded } from '#core/model/seeded.ts'

// what attacks show, and what a promise of (ε, δ) allows them
// ├── the exact interval: published values, and it holds the truth as often as it says
// ├── the region of a promise: its curve, its area, the ends
// ├── separation: area with ties, interval, the rate where few are accused falsely
// └── least ε: below the truth for an attack that is the best possible, near it with many canaries, 0 for guessing

const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not within ${tolerance} of ${b}`)

describe('the exact interval of a proportion', () => {
  it('has the closed forms at the ends, and R’s value in between', () => {
    // All or none of n: 1 − (tail)^(1/n). binom.test(3, 10) in R: 0.06673951, 0.65245285.
    near(clopperPearson(0, 20, 0.95).high, 1 - 0.025 ** (1 / 20), 1e-12)
    near(clopperPearson(20, 20, 0.95).low, 0.025 ** (1 / 20), 1e-12)
    assert.deepEqual([clopperPearson(0, 20, 0.95).low, clopperPearson(20, 20, 0.95).high], [0, 1])
    near(clopperPearson(3, 10, 0.95).low, 0.06673951, 1e-8)
    near(clopperPearson(3, 10, 0.95).high, 0.65245285, 1e-8)
  })

  it('holds the truth at least as often as it says', () => {
    for (const p of [0.01, 0.2, 0.5]) {
      let held = 0
      // By the binomial's own weights, not by drawing: the coverage is exact.
      let weight = (1 - p) ** 40
      for (let k = 0; k <= 40; k++) {
        const { low, high } = clopperPearson(k, 40, 0.9)
        if (low <= p && p <= high) held += weight
        weight *= ((40 - k) / (k + 1)) * (p / (1 - p))
      }
      assert.ok(held >= 0.9, `${p}: ${held}`)
    }
  })
})

describe('what a promise allows', () => {
  it('is guessing at ε 0, and everything at δ 1', () => {
    near(mostArea({ epsilon: 0, delta: 0 }), 0.5, 1e-12)
    near(mostArea({ epsilon: 0, delta: 1 }), 1, 1e-12)
    assert.equal(mostFound(0.01, { epsilon: 0, delta: 0 }), 0.01)
    near(mostFound(0.01, { epsilon: 1, delta: 1e-4 }), 0.01 * Math.E + 1e-4, 1e-12)
  })

  it('has the area under its own curve', () => {
    for (const promised of [
      { epsilon: 0.5, delta: 0 },
      { epsilon: 1, delta: 1e-2 },
      { epsilon: 4, delta: 1e-5 },
    ]) {
      const steps = 200_000
      let area = 0
      for (let i = 0; i < steps; i++) area += mostFound((i + 0.5) / steps, promised) / steps
      near(mostArea(promised), area, 1e-6)
    }
  })
})

describe('separation', () => {
  it('counts ties half, and knows perfect and none', () => {
    const perfect = separationOf({ members: [3, 4, 5], others: [0, 1, 2] })
    assert.deepEqual([perfect?.area, perfect?.found], [1, 1])
    assert.equal(separationOf({ members: [1, 1], others: [1, 1] })?.area, 0.5)
    assert.equal(separationOf({ members: [2, 1], others: [1, 0] })?.area, 3.5 / 4)
    assert.equal(separationOf({ members: [], others: [1] }), null)
  })

  it('accuses no more than asked', () => {
    const others = Array.from({ length: 1000 }, (_, i) => i / 1000)
    const { found, foundInterval } = separationOf({ members: [0.2, 0.989, 0.9895, 0.999, 2], others }) ?? assert.fail()
    // Ten of a thousand may lie above: the threshold is the eleventh from the top, 0.989.
    assert.equal(found, 3 / 5)
    assert.ok(foundInterval.low < found && found < foundInterval.high)
  })

  it('has an interval that holds the true area in about 95 of 100 samples', () => {
    const random = new Seeded(11)
    const normal = (): number => Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
    // Two normals one apart: the area is Φ(1 / √2) = 0.7602499.
    let held = 0
    for (let sample = 0; sample < 400; sample++) {
      const members = Array.from({ length: 60 }, () => normal() + 1)
      const { areaInterval } = separationOf({ members, others: Array.from({ length: 80 }, normal) }) ?? assert.fail()
      if (areaInterval.low <= 0.7602499 && 0.7602499 <= areaInterval.high) held++
    }
    assert.ok(held >= 365 && held <= 395, `${held} of 400`)
  })
})

describe('the least ε that an attack leaves possible', () => {
  const random = new Seeded(5)
  /** Randomised response: the best attack on it meets the promise exactly. */
  const canaries = (epsilon: number, count: number) => {
    const truth = Math.exp(epsilon) / (1 + Math.exp(epsilon))
    const answer = (member: boolean): number => (random.uniform() < truth === member ? 1 : 0)
    return { members: Array.from({ length: count }, () => answer(true)), others: Array.from({ length: count }, () => answer(false)) }
  }

  it('is below the truth nearly always, and near it with many canaries', () => {
    let above = 0
    for (let sample = 0; sample < 100; sample++) if (leastEpsilon(canaries(1, 200), 0, 0.95) > 1) above++
    assert.ok(above <= 5, `${above} of 100 above the truth`)
    const many = leastEpsilon(canaries(2, 20_000), 0, 0.95)
    assert.ok(many > 1.85 && many <= 2, `${many}`)
  })

  it('is 0 for guessing, and for too few', () => {
    assert.ok(leastEpsilon(canaries(0, 2_000), 0, 0.95) < 0.2)
    assert.equal(leastEpsilon({ members: [1], others: [0] }, 0, 0.95), 0)
  })

  it('counts δ', () => {
    const scores = canaries(2, 4_000)
    assert.ok(leastEpsilon(scores, 0.2, 0.95) < leastEpsilon(scores, 0, 0.95))
  })
})
