import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { denseGradient } from '#core/evidence/dense-gradient.ts'
import { matchGradient } from '#core/evidence/gradient-matching.ts'
import { correlation } from '#core/evidence/inversion.ts'
import { exactly, meanOf, verdictOn } from '#core/evidence/verdict.ts'
import { forward, initialWeights } from '#core/learner/dense.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { LayerSpec } from '#core/protocol/protocol.ts'
import { sha256 } from '../support.ts'

// rows looked for by their gradient, and what a figure comes to
// ├── the attacker's gradient is the slope of the loss, layer by layer
// ├── descent finds two rows of one gradient again, and nothing in noise
// └── a figure is judged with its whole interval, and only where the attack works unprotected

const INPUTS = 5
const layer = (units: number, activation: LayerSpec['config']['activation'], useBias = true): LayerSpec => ({
  className: 'Dense',
  config: { units, activation, useBias },
})
const random = new Seeded(4)
const uniform = (): number => 2 * random.uniform() - 1
const row = (): Float64Array => Float64Array.from({ length: INPUTS }, uniform)

describe('the gradient of dense layers', () => {
  it('is the slope of the loss', () => {
    for (const layers of [[layer(1, 'sigmoid')], [layer(4, 'tanh'), layer(1, 'sigmoid')], [layer(4, 'relu', false), layer(3, 'sigmoid'), layer(1, 'linear')]]) {
      const weights = Float64Array.from(initialWeights(layers, INPUTS, 'slope', sha256), (w) => w + 0.05)
      const rows = { features: [row(), row()], labels: [1, 0] }
      const isLine = layers.at(-1)?.config.activation === 'linear'
      const loss = (at: Float64Array): number =>
        rows.features.reduce((sum, features, i) => {
          const [p, y] = [forward(layers, at as never, features), rows.labels[i] as number]
          return sum + (isLine ? (p - y) ** 2 / 2 : -Math.log(y === 1 ? p : 1 - p))
        }, 0)
      const gradient = denseGradient(layers, weights, rows)
      for (let i = 0; i < weights.length; i++) {
        const by = (step: number): number => loss(weights.map((w, k) => (k === i ? w + step : w)))
        assert.ok(Math.abs((by(1e-6) - by(-1e-6)) / 2e-6 - (gradient[i] as number)) < 1e-6, `weight ${i}`)
      }
    }
  })
})

describe('rows that fit a gradient', () => {
  const layers = [layer(8, 'tanh'), layer(1, 'sigmoid')]
  const weights = initialWeights(layers, INPUTS, 'matching', sha256)
  const find = (change: Float64Array) => matchGradient({ layers, weights, change, labels: [0, 1], inputs: INPUTS, random: uniform }, { starts: 3, steps: 200 })

  it('are the two that made it', () => {
    const features = [row(), row()]
    const found = find(denseGradient(layers, weights, { features, labels: [0, 1] }).map((x) => -0.3 * x))
    for (const [i, truth] of features.entries()) assert.ok(correlation(found[i] as Float64Array, truth) > 0.95)
  })

  it('are nothing in what is no gradient', () => {
    const found = find(new Float64Array(weights.length))
    assert.equal(found.length, 2)
    assert.ok(found.every((guess) => guess.every(Number.isFinite)))
  })
})

describe('the verdict on an attack', () => {
  const interval = (low: number, high: number) => ({ value: (low + high) / 2, low, high })
  const judge = (protectedBy: ReturnType<typeof interval> | null, ceiling: number | null, unprotected = interval(0.8, 0.9)) =>
    verdictOn({ unprotected, protected: protectedBy, guessing: 0.5, ceiling })

  it('takes the whole interval', () => {
    assert.equal(judge(interval(0.4, 0.6), 0.6), 'under its ceiling')
    assert.equal(judge(interval(0.4, 0.61), 0.6), 'too few to tell')
    assert.equal(judge(interval(0.61, 0.7), 0.6), 'over its ceiling')
    assert.equal(judge(null, 0.6), 'nothing promised')
    assert.equal(judge(interval(0.4, 0.6), null), 'nothing promised')
  })

  it('is none where the attack fails on what is not protected', () => {
    assert.equal(judge(interval(0.4, 0.6), 0.6, interval(0.5, 0.9)), 'the attack failed')
    assert.equal(judge(null, null, exactly(0.5)), 'the attack failed')
  })

  it('is taken of a mean with its interval', () => {
    assert.deepEqual(meanOf([2, 2, 2]), exactly(2))
    const { value, low, high } = meanOf([0, 1, 0, 1])
    assert.ok(value === 0.5 && Math.abs(high - low - (2 * 1.959964 * Math.sqrt(1 / 3)) / 2) < 1e-6)
    assert.deepEqual(meanOf([]), exactly(0))
  })
})
