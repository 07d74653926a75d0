import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { gaussianEpsilon } from '#core/privacy/gaussian.ts'
import { noiseFor } from '#core/privacy/noise.ts'
import { prvEpsilon } from '#core/privacy/prv.ts'
import { rdpOf } from '#core/privacy/rdp.ts'
import { rdpEpsilon } from '#core/privacy/rdp-epsilon.ts'
import { sharedJson } from '../support.ts'
import { type Published, type PublishedNoise, type PublishedValues, published } from './published.ts'

/*
 * accountants
 * └── given the published values of four other libraries
 *     ├── it comes to the same epsilon by RDP, and to the same RDP at each order
 *     ├── it comes to the same tight epsilon, and brackets it
 *     ├── it comes to the same epsilon of the Gaussian mechanism
 *     └── it comes to the same noise
 */
const shared = sharedJson<PublishedValues>('vectors/dp-accounting.json')
const values = shared ?? published

after(() =>
  console.log(`accountants: ${shared ? 'every vector of ../shared/vectors/dp-accounting.json' : 'no ../shared here: the published values in published.ts'}`),
)

const mechanism = ({ q, sigma, steps }: Pick<Published, 'q' | 'sigma' | 'steps'>) => [{ samplingRate: q, noise: sigma, steps }]
const named = ({ q, sigma, steps, delta }: Published): string => `q ${q}, σ ${sigma}, ${steps} steps, δ ${delta}`
const near = (actual: number, expected: number, within: number): void =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is ${Math.abs(actual - expected)} from ${expected}`)

describe('published values', () => {
  for (const vector of values.rdp)
    it(`RDP: ${named(vector)} (${vector.source})`, () => near(rdpEpsilon(mechanism(vector), vector.delta).epsilon, vector.epsilon as number, vector.tolerance))

  it('RDP at fixed orders', () => {
    const { orders, rdp, toleranceRelative } = values.rdpCurve
    orders.forEach((order, i) => {
      near(rdpOf(mechanism(values.rdpCurve), order), rdp[i] as number, toleranceRelative * (rdp[i] as number))
    })
  })

  for (const vector of values.tight)
    it(`tight: ${named(vector)} (${vector.source})`, () => {
      const { lower, upper } = prvEpsilon(mechanism(vector), vector.delta)
      near(upper, (vector.epsilon ?? vector.epsilonUpper) as number, vector.tolerance)
      // The one kind of published value is the truth to five digits, the other an upper bound.
      if (vector.epsilon !== undefined) assert.ok(lower <= vector.epsilon + 1e-5 && upper >= vector.epsilon - 1e-5, `${lower} to ${upper}`)
      else assert.ok(upper <= (vector.epsilonUpper as number), `${upper}`)
    })

  for (const { sigma, delta, epsilon, tolerance } of values.exactGaussian)
    it(`Gaussian mechanism: σ ${sigma}, δ ${delta}`, () => near(gaussianEpsilon(sigma, delta), epsilon, tolerance))

  for (const vector of values.noiseFor) it(`noise: ε ${vector.epsilon} by ${vector.accountant}`, () => near(noise(vector), vector.sigma, vector.tolerance))
})

const noise = ({ accountant, q = 1, steps = 1, delta, epsilon }: PublishedNoise): number =>
  noiseFor({ samplingRate: q, steps, delta, epsilon }, accountant === 'rdp' ? 'rdp' : 'prv')
