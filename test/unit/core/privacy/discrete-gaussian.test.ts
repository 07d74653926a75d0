import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { discreteGaussianRdp, discreteGaussianRdpExactly, sharedNoiseRdp, sumGap } from '#core/privacy/discrete-gaussian.ts'
import { Fourier } from '#core/privacy/fourier.ts'
import { logSum } from '#core/privacy/log-sums.ts'

/*
 * discrete Gaussian noise
 * ├── it costs what its definition says, never more than the continuous one
 * └── given shares of several sites
 *     └── it costs nearly what one noise of the same size does, unless the shares are narrower than the grid
 * Fourier transform
 * └── it is its own definition, and comes back
 */

/** Σ p(x − Δ)^α·p(x)^(1 − α), as it stands. */
function byDefinition(noise: number, sensitivity: number, order: number): number {
  const grid = Array.from({ length: 801 }, (_, i) => i - 400)
  const total = logSum(grid.map((x) => -(x * x) / (2 * noise * noise)))
  const moment = logSum(grid.map((x) => -(order * (x - sensitivity) ** 2 + (1 - order) * x * x) / (2 * noise * noise)))
  return (moment - total) / (order - 1)
}

describe('discrete Gaussian noise', () => {
  it('costs what its definition says, never more than the continuous one', () => {
    for (const noise of [0.4, 0.7, 1, 3])
      for (const order of [1.3, 2, 2.5, 8])
        for (const sensitivity of [1, 2, 3]) {
          const exact = discreteGaussianRdpExactly(noise, sensitivity, order)
          assert.ok(Math.abs(exact - byDefinition(noise, sensitivity, order)) < 1e-9 * (1 + exact), `σ ${noise}, order ${order}`)
          assert.ok(exact <= discreteGaussianRdp(noise, sensitivity, order) + 1e-12)
          if (Number.isInteger(order)) assert.ok(Math.abs(exact - discreteGaussianRdp(noise, sensitivity, order)) < 1e-9)
        }
  })

  it('in shares costs what one noise does, unless shares are narrower than the grid', () => {
    const shares = { noise: 3, shares: 16, coordinates: 1e6, l2: 24 }
    assert.ok(Math.abs(sharedNoiseRdp(shares, 4) - discreteGaussianRdp(12, 24, 4)) < 1e-12)
    assert.ok(sharedNoiseRdp({ ...shares, noise: 1 }, 4) > 1.1 * discreteGaussianRdp(4, 24, 4))
    assert.ok(sharedNoiseRdp({ ...shares, shares: 12 }, 4) > sharedNoiseRdp(shares, 4), 'fewer shares protect less')
    assert.equal(sumGap(1, 1), 0)
    assert.ok(sumGap(2, 100) < 1e-15 && sumGap(1, 100) > 1e-4)
  })
})

describe('Fourier transform', () => {
  it('is its own definition, and comes back', () => {
    const n = 16
    const real = Float64Array.from({ length: n }, (_, i) => Math.sin(3 * i + 1))
    const imaginary = Float64Array.from({ length: n }, (_, i) => Math.cos(i * i))
    const [a, b] = [real.slice(), imaginary.slice()]
    const fourier = new Fourier(n)
    fourier.forward(a, b)
    for (let k = 0; k < n; k++) {
      let [x, y] = [0, 0]
      for (let j = 0; j < n; j++) {
        const [c, s] = [Math.cos((2 * Math.PI * j * k) / n), -Math.sin((2 * Math.PI * j * k) / n)]
        x += (real[j] as number) * c - (imaginary[j] as number) * s
        y += (real[j] as number) * s + (imaginary[j] as number) * c
      }
      assert.ok(Math.hypot(x - (a[k] as number), y - (b[k] as number)) < 1e-13)
    }
    fourier.backward(a, b)
    for (let j = 0; j < n; j++) assert.ok(Math.hypot((a[j] as number) - (real[j] as number), (b[j] as number) - (imaginary[j] as number)) < 1e-15)
  })
})
