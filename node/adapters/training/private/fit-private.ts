import { RotaError } from '#base/errors.ts'
import { GaussianNoise, stepsWithNoise } from '#core/learner/private/noise.ts'
import { drawPatients } from '#core/learner/private/units.ts'
import type { RandomSource } from '#core/ring/to-ring.ts'
import type { Tensor, Tf } from '../tf.ts'
import { checkLoss, clippedByNorms, clippedOneByOne, type Loss } from './clipped-gradients.ts'
import { OuterProducts } from './outer-products.ts'
import { batchOf, dataOf, type PrivateData, type PrivateRows } from './private-data.ts'
import { type PrivateLayer, privateLayers } from './private-layers.ts'
import type { Sequential } from './tfl.ts'

/** All of it public: none may be computed from the site's rows. */
export interface PrivateFitOptions {
  readonly loss: Loss
  /** C: no patient moves the sum of a step's gradients by more than this L2 norm. */
  readonly clip: number
  /** σ: each coordinate of that sum gets noise with deviation σ·C. */
  readonly noise: number
  /** q: with which probability each patient is in a step. */
  readonly samplingRate: number
  readonly steps: number
  readonly learningRate: number
  /** What a noisy sum is divided by: q × the patients that the policy expects, and neither the batch that was drawn nor today's cohort. */
  readonly expectedBatch: number
}

export interface PrivateFitTools {
  /** Cryptographically secure but in tests: it draws patients and noise. */
  readonly random: RandomSource
  /** Runs between steps and may throw to end the training. */
  readonly pause: () => Promise<void> | void
}

/**
 * Trains `model` in place by differentially private stochastic gradient descent, and returns its weights in their order, kernel before bias.
 *
 * Each step draws patients (`drawPatients`: Poisson), clips each one's gradient over all its rows to L2 norm C, adds up, adds Gaussian noise of deviation σ·C
 * to the sum, divides by the expected batch and moves by the learning rate. Guarantee: the weights after all steps are what an accountant says of `steps`
 * Poisson-subsampled Gaussian mechanisms with multiplier σ and rate q, for adding or taking away one patient. A step without patients is a step: noise alone.
 * Nothing else leaves: no loss, no size of a batch. Limits: penalties that layers put on their weights are not part of the loss; a dropout layer draws from
 * TensorFlow's generator, which privacy does not rest on.
 * What a study reaches of this: dense layers, and one row a patient. Convolutions, group normalisation, several rows of a patient and the refusal of batch
 * normalisation are for callers of this function: a protocol has no words for them.
 * @throws ROTA-2381 batch normalisation, 2384 options out of range, 2386 other models and rows, 3053 when weights grow beyond numbers
 * @see Abadi et al. 2016, arXiv:1607.00133
 */
export async function fitPrivate(tf: Tf, model: Sequential, rows: PrivateRows, options: PrivateFitOptions, tools: PrivateFitTools): Promise<Float32Array> {
  const layers = privateLayers(model)
  checkOptions(options)
  checkLoss(layers, options.loss)
  const data = dataOf(model, rows)
  const state = weightsOf(layers)
  const noise = new GaussianNoise(tools.random)
  const products = new OuterProducts()
  for (let step = 0; step < options.steps; step++) {
    const drawn = drawPatients(rows.patients.count, options.samplingRate, tools.random)
    const sum = clippedSum(tf, layers, data, drawn, options, products)
    addNoise(sum, options, noise)
    descend(tf, layers, state, sum, options.learningRate / options.expectedBatch)
    await tools.pause()
  }
  const weights = Float32Array.from(state)
  if (!weights.every(Number.isFinite)) throw new RotaError('ROTA-3053')
  return weights
}

/** Rows in one pass; a patient with more is a pass of its own. */
const ROWS_AT_ONCE = 256

/** Σ of the drawn patients' clipped gradients, a few patients at a time. */
function clippedSum(
  tf: Tf,
  layers: readonly PrivateLayer[],
  data: PrivateData,
  drawn: Uint32Array,
  { clip, loss }: PrivateFitOptions,
  products: OuterProducts,
): Float64Array {
  const { starts } = data.patients
  const sum = new Float64Array(weightCount(layers))
  const short = layers.every(({ kind }) => kind !== 'other')
  for (let from = 0; from < drawn.length; ) {
    let to = from
    let rows = 0
    do {
      const p = drawn[to++] as number
      rows += (starts[p + 1] as number) - (starts[p] as number)
    } while (to < drawn.length && rows < ROWS_AT_ONCE)
    const batch = batchOf(tf, data, drawn.subarray(from, to))
    const part = short ? clippedByNorms(tf, layers, batch, clip, loss, products) : clippedOneByOne(tf, layers, batch, clip, loss)
    tf.dispose([batch.x, batch.y])
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (part[i] as number)
    from = to
  }
  return sum
}

/**
 * Sum and noise are rounded to one grid first, see `GaussianNoise`; rounding a sum of d weights moves it by at most √d / 2 steps of 2^-30 of the clip, which
 * for two neighbours and a million weights is a millionth of C and within the clip's margin.
 */
function addNoise(sum: Float64Array, { clip, noise: multiplier }: PrivateFitOptions, noise: GaussianNoise): void {
  const perStep = 2 ** (30 - Math.floor(Math.log2(clip)))
  for (let i = 0; i < sum.length; i++) sum[i] = stepsWithNoise(sum[i] as number, multiplier * clip, perStep, noise) / perStep
}

/** Weights are kept in float64 between steps; layers get them in float32. */
function descend(tf: Tf, layers: readonly PrivateLayer[], state: Float64Array, sum: Float64Array, rate: number): void {
  for (let i = 0; i < state.length; i++) state[i] = (state[i] as number) - rate * (sum[i] as number)
  let at = 0
  for (const weight of layers.flatMap(({ weights }) => weights)) {
    const size = weight.shape.reduce<number>((product, length) => product * (length as number), 1)
    const tensor = tf.tensor(Float32Array.from(state.subarray(at, at + size)), weight.shape as number[])
    weight.write(tensor)
    tf.dispose(tensor)
    at += size
  }
}

const weightCount = (layers: readonly PrivateLayer[]): number =>
  layers.reduce(
    (sum, { weights }) => sum + weights.reduce((inner, { shape }) => inner + shape.reduce<number>((product, length) => product * (length as number), 1), 0),
    0,
  )

function weightsOf(layers: readonly PrivateLayer[]): Float64Array {
  return Float64Array.from(layers.flatMap(({ weights }) => weights.flatMap((weight) => Array.from((weight.read() as Tensor).dataSync<'float32'>()))))
}

/** Ranges beyond which noise could not be drawn on its grid, or would be none. */
const LIMITS = {
  clip: [1e-6, 1e6],
  noise: [0.01, 10_000],
  samplingRate: [1e-9, 1],
  steps: [1, 1e9],
  learningRate: [1e-12, 1e6],
  expectedBatch: [1e-3, 1e9],
} as const satisfies Partial<Record<keyof PrivateFitOptions, readonly [number, number]>>

function checkOptions(options: PrivateFitOptions): void {
  for (const [parameter, [least, most]] of Object.entries(LIMITS)) {
    const value = options[parameter as keyof typeof LIMITS]
    if (!(value >= least && value <= most) || (parameter === 'steps' && !Number.isInteger(value)))
      throw new RotaError('ROTA-2384', { parameter, value, expected: `${parameter === 'steps' ? 'a whole number' : 'a number'} from ${least} to ${most}` })
  }
}
