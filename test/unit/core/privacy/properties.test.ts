import assert from 'node:assert/strict'
import process from 'node:process'
import { describe, it } from 'node:test'
import { isRotaError } from '#base/errors.ts'
import { Seeded } from '#core/model/seeded.ts'
import { epsilonOf } from '#core/privacy/accountant.ts'
import { composedNoise, gaussianDelta, gaussianEpsilon } from '#core/privacy/gaussian.ts'
import type { SampledGaussian } from '#core/privacy/mechanism.ts'
import { noiseFor } from '#core/privacy/noise.ts'
import { prvEpsilon } from '#core/privacy/prv.ts'
import { rdpOf, rdpOfStep } from '#core/privacy/rdp.ts'
import { epsilonOfCurve, rdpEpsilon } from '#core/privacy/rdp-epsilon.ts'
import { logHalfErfc } from '#core/privacy/scaled-erfc.ts'

/*
 * accountants
 * ├── RDP
 * │   ├── it is the moment's integral for whole orders, and never below it for others
 * │   ├── it adds up over steps and mechanisms
 * │   └── it grows with the sampling rate and with the order, and falls with noise
 * ├── PRV
 * │   ├── it brackets the closed form of one step, and of steps that all patients are in
 * │   ├── it grows with steps and sampling rate, falls with noise and delta, and is never above RDP
 * │   ├── it composes mechanisms of different noise, in any order
 * │   └── it holds where delta is tiny
 * ├── the Gaussian mechanism
 * │   └── it gives back the delta that its epsilon came from, and many uses are one with less noise
 * ├── noise
 * │   └── it keeps its promise, and a hundredth less would not
 * └── what is out of range
 *     └── it is refused by its own error
 */

/** Cases of each property; more with ROTA_PRIVACY_CASES=1000. */
const CASES = Number(process.env.ROTA_PRIVACY_CASES ?? 72)

function draws(seed: number): { pick(low: number, high: number): number; mechanism(): SampledGaussian; delta(): number } {
  const random = new Seeded(seed)
  const pick = (low: number, high: number): number => low * (high / low) ** random.uniform()
  return {
    pick,
    mechanism: () => ({ samplingRate: pick(1e-3, 1), noise: pick(0.4, 8), steps: Math.round(pick(1, 3000)) }),
    delta: () => pick(1e-9, 1e-3),
  }
}

/** E[(1 + u)^α − 1 − αu] over t ~ N(0, σ²), by the trapezium rule: A − 1 by another way than the accountant's series. */
function momentByIntegral(q: number, noise: number, order: number): number {
  const step = Math.min(noise, noise * noise) / 12
  let sum = 0
  for (let t = -11 * noise; t < order + 11 * noise; t += step) {
    const u = q * Math.expm1((2 * t - 1) / (2 * noise * noise))
    const above =
      Math.abs(order * u) < 1e-3
        ? (order * (order - 1) * u * u * (1 + ((order - 2) * u) / 3 + ((order - 2) * (order - 3) * u * u) / 12)) / 2
        : (1 + u) ** order - 1 - order * u
    sum += above * Math.exp(-(t * t) / (2 * noise * noise))
  }
  return (sum * step) / (noise * Math.sqrt(2 * Math.PI))
}

/** Delta of one step, in closed form: the losses above epsilon are the noisy sums above one threshold, with the patient or below it, without. */
function deltaOfStep(q: number, noise: number, epsilon: number): number {
  const tail = (t: number): number => Math.exp(logHalfErfc(t / noise))
  const edge = (loss: number): number => noise * noise * Math.log1p(Math.expm1(loss) / q) + 0.5
  const t = edge(epsilon)
  const removed = (1 - q) * tail(t) + q * tail(t - 1) - Math.exp(epsilon) * tail(t)
  const s = edge(-epsilon)
  const added = Number.isNaN(s) ? 0 : tail(-s) - Math.exp(epsilon) * ((1 - q) * tail(-s) + q * tail(1 - s))
  return Math.max(removed, added)
}

describe('RDP', () => {
  it('is the integral for whole orders, and never below it for others', () => {
    const { pick } = draws(1)
    for (let i = 0; i < CASES; i++) {
      const [q, noise] = [pick(1e-4, 0.99), pick(0.7, 6)]
      for (const order of [2, 3, 7, pick(1.1, 8)]) {
        const exact = Math.log1p(momentByIntegral(q, noise, order)) / (order - 1)
        const told = rdpOfStep(q, noise, order)
        assert.ok(told >= exact * (1 - 1e-9) - 1e-14, `q ${q}, σ ${noise}, order ${order}: ${told} < ${exact}`)
        if (Number.isInteger(order)) assert.ok(told <= exact * (1 + 1e-9), `q ${q}, σ ${noise}, order ${order}: ${told} > ${exact}`)
      }
    }
  })

  it('adds up over steps and mechanisms', () => {
    const { mechanism } = draws(2)
    for (let i = 0; i < CASES; i++) {
      const [a, b] = [mechanism(), mechanism()]
      const apart = rdpOf([a], 5) + rdpOf([b], 5)
      assert.ok(Math.abs(rdpOf([a, b], 5) - apart) <= 1e-12 * apart)
      assert.ok(Math.abs(rdpOf([{ ...a, steps: 3 * a.steps }], 5) - 3 * rdpOf([a], 5)) <= 1e-12 * rdpOf([a], 5) * 3)
    }
  })

  it('grows with sampling rate and order, and falls with noise', () => {
    const { pick } = draws(3)
    for (let i = 0; i < CASES; i++) {
      const [q, noise, order] = [pick(1e-4, 0.9), pick(0.3, 8), Math.round(pick(2, 64))]
      const rdp = rdpOfStep(q, noise, order)
      assert.ok(rdpOfStep(q * 1.1, noise, order) > rdp)
      assert.ok(rdpOfStep(q, noise * 1.1, order) < rdp)
      assert.ok(rdpOfStep(q, noise, order + 1) > rdp)
      assert.ok(rdp < rdpOfStep(1, noise, order), 'drawing patients amplifies privacy')
    }
  })
})

describe('PRV', () => {
  it('brackets the closed form of one step', () => {
    const { pick, delta } = draws(4)
    for (let i = 0; i < CASES / 6; i++) {
      const [q, noise, at] = [pick(1e-4, 0.99), pick(0.3, 6), delta()]
      const { lower, upper } = prvEpsilon([{ samplingRate: q, noise, steps: 1 }], at, 2 ** 15)
      const named = `q ${q}, σ ${noise}, δ ${at}: ${lower} to ${upper}`
      assert.ok(deltaOfStep(q, noise, upper) <= at * (1 + 1e-6), named)
      if (lower > 0) assert.ok(deltaOfStep(q, noise, lower) >= at, named)
      assert.ok(upper - lower < 0.05 * Math.max(1, upper), named)
    }
  })

  it('brackets many steps that nearly all patients are in', () => {
    for (const [noise, steps, delta] of [
      [2, 10, 1e-5],
      [20, 500, 1e-7],
      [5, 3, 1e-3],
    ] as const) {
      const exact = gaussianEpsilon(noise / Math.sqrt(steps), delta)
      const { lower, upper } = prvEpsilon([{ samplingRate: 1 - 1e-9, noise, steps }], delta)
      assert.ok(lower <= exact && exact <= upper + 1e-6 && upper - exact < 1e-3 && exact - lower < 0.05, `${lower} ≤ ${exact} ≤ ${upper}`)
    }
  })

  it('grows with steps and sampling rate, falls with noise and delta, and is never above RDP', () => {
    const { mechanism, delta } = draws(5)
    for (let i = 0; i < CASES / 12; i++) {
      const [one, at] = [mechanism(), delta()]
      const told = (change: Partial<SampledGaussian>, where = at): number => prvEpsilon([{ ...one, ...change }], where, 2 ** 13).upper
      const epsilon = told({})
      const within = 1e-3 * (1 + epsilon)
      assert.ok(told({ steps: one.steps + Math.ceil(one.steps / 5) }) >= epsilon - within)
      assert.ok(told({ samplingRate: Math.min(1, one.samplingRate * 1.2) }) >= epsilon - within)
      assert.ok(told({ noise: one.noise * 1.2 }) <= epsilon + within)
      assert.ok(told({}, at * 10) <= epsilon + within)
      assert.ok(epsilon <= rdpEpsilon([one], at).epsilon)
    }
  })

  it('composes mechanisms of different noise, in any order', () => {
    const a = { samplingRate: 0.02, noise: 1.1, steps: 300 }
    const b = { samplingRate: 1, noise: 30, steps: 20 }
    const both = prvEpsilon([a, b], 1e-6, 2 ** 15)
    const turned = prvEpsilon([b, a], 1e-6, 2 ** 15)
    assert.ok(Math.abs(both.upper - turned.upper) < 1e-9)
    assert.ok(both.upper > prvEpsilon([a], 1e-6).upper && both.upper > gaussianEpsilon(composedNoise([b]), 1e-6))
    assert.ok(both.lower < both.upper && both.upper <= rdpEpsilon([a, b], 1e-6).epsilon)
    const split = prvEpsilon([{ ...a, steps: 100 }, { ...a, steps: 200 }, b], 1e-6, 2 ** 15)
    assert.ok(Math.abs(both.upper - split.upper) < 1e-6)
  })

  it('holds where delta is tiny', () => {
    for (const delta of [1e-12, 1e-16]) {
      const { lower, upper } = prvEpsilon([{ samplingRate: 0.05, noise: 1.5, steps: 500 }], delta, 2 ** 17)
      assert.ok(upper - lower < 0.05 && upper < rdpEpsilon([{ samplingRate: 0.05, noise: 1.5, steps: 500 }], delta).epsilon)
    }
  })
})

describe('the Gaussian mechanism', () => {
  it('gives back the delta that its epsilon came from', () => {
    const { pick } = draws(6)
    for (let i = 0; i < CASES; i++) {
      const [noise, delta] = [pick(0.1, 100), pick(1e-15, 1e-3)]
      const epsilon = gaussianEpsilon(noise, delta)
      if (epsilon > 0) assert.ok(Math.abs(gaussianDelta(noise, epsilon) / delta - 1) < 1e-6, `σ ${noise}, δ ${delta}`)
      else assert.ok(gaussianDelta(noise, 0) <= delta)
    }
  })

  it('counts many uses as one with less noise, and RDP above it', () => {
    assert.equal(composedNoise([{ noise: 6, steps: 4 }]), 3)
    assert.ok(
      Math.abs(
        composedNoise([
          { noise: 3, steps: 1 },
          { noise: 4, steps: 1 },
        ]) - 2.4,
      ) < 1e-12,
    )
    assert.ok(gaussianEpsilon(3, 1e-5) < epsilonOfCurve((order) => order / 18, 1e-5).epsilon)
  })
})

describe('noise', () => {
  it('keeps its promise, and a hundredth less would not', () => {
    const { pick, delta } = draws(7)
    for (let i = 0; i < CASES / 24; i++) {
      const target = { samplingRate: pick(5e-3, 0.5), steps: Math.round(pick(5, 2000)), epsilon: pick(0.3, 8), delta: delta() }
      for (const accountant of ['rdp', 'prv'] as const) {
        const noise = noiseFor(target, accountant)
        assert.ok(epsilonOf([{ ...target, noise }], target.delta, accountant) <= target.epsilon)
        assert.ok(epsilonOf([{ ...target, noise: 0.99 * noise }], target.delta, accountant) > target.epsilon, JSON.stringify({ ...target, noise, accountant }))
      }
    }
  })

  it('asks for no more than there is', () => {
    assert.throws(
      () => noiseFor({ samplingRate: 1, steps: 1e7, epsilon: 1e-3, delta: 1e-12 }, 'prv'),
      (error) => isRotaError(error, 'ROTA-2357'),
    )
  })
})

describe('what is out of range', () => {
  const fine = { samplingRate: 0.1, noise: 1, steps: 10 }
  const refused = (code: Parameters<typeof isRotaError>[1], act: () => unknown): void => assert.throws(act, (error) => isRotaError(error, code))

  it('is refused by its own error', () => {
    for (const accountant of ['rdp', 'prv'] as const) {
      for (const delta of [0, 1, -1e-5, 1e-19, Number.NaN]) refused('ROTA-2352', () => epsilonOf([fine], delta, accountant))
      for (const samplingRate of [0, 1.01, -1, Number.NaN]) refused('ROTA-2353', () => epsilonOf([{ ...fine, samplingRate }], 1e-5, accountant))
      for (const noise of [0, -1, 1e-3, 2e6, Number.NaN]) refused('ROTA-2354', () => epsilonOf([{ ...fine, noise }], 1e-5, accountant))
      for (const steps of [0, 1.5, 1e10, Number.NaN]) refused('ROTA-2355', () => epsilonOf([{ ...fine, steps }], 1e-5, accountant))
      for (const epsilon of [0, -1, 1e5, Number.NaN]) refused('ROTA-2351', () => noiseFor({ samplingRate: 0.1, steps: 10, delta: 1e-5, epsilon }, accountant))
    }
  })
})
