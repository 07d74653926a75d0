/**
 * Published values as facts, so that the accountants are held to them wherever the tests run; the whole file of vectors is taken too where it is there.
 * O: pytorch/opacus, opacus/tests/accountants_test.py and prv_accountant.py. T: tensorflow/privacy, compute_dp_sgd_privacy_test.py.
 * G: google/differential-privacy, rdp_privacy_accountant_test.py. R: computed with google/differential-privacy dp_accounting at b5b0286e.
 */
export interface Published {
  readonly source: string
  readonly q: number
  readonly sigma: number
  readonly steps: number
  readonly delta: number
  readonly epsilon?: number
  /** Of an accountant that tells an upper bound only, 0.01 above the truth. */
  readonly epsilonUpper?: number
  readonly tolerance: number
}

export interface PublishedNoise {
  readonly source: string
  readonly accountant: string
  readonly q?: number
  readonly steps?: number
  readonly delta: number
  readonly epsilon: number
  readonly sigma: number
  readonly tolerance: number
}

export interface PublishedValues {
  readonly rdp: readonly Published[]
  readonly rdpCurve: {
    readonly q: number
    readonly sigma: number
    readonly steps: number
    readonly orders: readonly number[]
    readonly rdp: readonly number[]
    readonly toleranceRelative: number
  }
  readonly tight: readonly Published[]
  readonly exactGaussian: readonly { readonly sigma: number; readonly delta: number; readonly epsilon: number; readonly tolerance: number }[]
  readonly noiseFor: readonly PublishedNoise[]
}

export const published: PublishedValues = {
  rdp: [
    { source: 'O', q: 0.04, sigma: 1.5, steps: 2250, delta: 1e-5, epsilon: 7.32911117143, tolerance: 1e-4 },
    { source: 'T', q: 0.0025, sigma: 1.3, steps: 6000, delta: 1e-5, epsilon: 0.7242234026109595, tolerance: 1e-6 },
    { source: 'T', q: 1, sigma: 0.7, steps: 2, delta: 1e-5, epsilon: 10.8602036, tolerance: 1e-6 },
    { source: 'T', q: 0.01, sigma: 0.7, steps: 120, delta: 1e-5, epsilon: 3.2392676, tolerance: 1e-6 },
  ],
  rdpCurve: {
    q: 0.01,
    sigma: 2.5,
    steps: 50,
    orders: [1.5, 2.5, 5, 50, 100],
    rdp: [6.70579741e-4, 1.0854871e-3, 2.18075656e-3, 2.38460375e-2, 167.416308],
    toleranceRelative: 1e-6,
  },
  tight: [
    { source: 'R', q: 0.04, sigma: 1.5, steps: 2250, delta: 1e-5, epsilon: 6.768787, tolerance: 0.01 },
    { source: 'T', q: 1, sigma: 0.7, steps: 2, delta: 1e-5, epsilon: 10.1224946, tolerance: 1e-3 },
    { source: 'R', q: 0.01, sigma: 1, steps: 1000, delta: 1e-5, epsilon: 1.8282436, tolerance: 0.01 },
    { source: 'O', q: 0.001, sigma: 0.8, steps: 100, delta: 1e-6, epsilonUpper: 0.270403364058, tolerance: 0.02 },
  ],
  exactGaussian: [
    { sigma: 1, delta: 1e-5, epsilon: 4.377178095681, tolerance: 1e-6 },
    { sigma: 5, delta: 1e-5, epsilon: 0.725521750858, tolerance: 1e-6 },
  ],
  noiseFor: [
    { source: 'O', accountant: 'rdp', q: 0.04, steps: 2250, delta: 1e-5, epsilon: 8, sigma: 1.416, tolerance: 0.005 },
    { source: 'O', accountant: 'tight', q: 0.04, steps: 2250, delta: 1e-5, epsilon: 8, sigma: 1.34765625, tolerance: 0.01 },
    { source: 'R', accountant: 'exactGaussian', delta: 1e-5, epsilon: 1, sigma: 3.730631634816, tolerance: 1e-6 },
  ],
}
