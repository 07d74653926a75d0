import type { Table } from '#core/model/table.ts'
import type { RandomSource } from '#core/ring/to-ring.ts'
import type { PrivateSteps } from '../learner.ts'
import { probability } from './logistic.ts'
import { GaussianNoise } from './noise.ts'
import { designRow, mapped, norm, type PrivateSetup } from './rows.ts'
import { drawPatients } from './units.ts'

export interface NoisyDescent extends PrivateSteps {
  readonly learningRate: number
}

/**
 * What `fitPrivate` does to a network of one unit, without TensorFlow, for dry runs: coefficients of [1, u…] after noisy steps down the clipped gradients of
 * cross-entropy (`logistic`) or half the squared error over the label's range (`linear`), each row a patient. Its noise is not on a grid: never to be released.
 */
export function descendNoisily(
  setup: PrivateSetup,
  table: Table,
  kind: 'logistic' | 'linear',
  { clip, noise: multiplier, samplingRate, steps, expectedBatch, learningRate }: NoisyDescent,
  random: RandomSource,
): Float64Array {
  const size = setup.names.length + 1
  const [coef, sum, z] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)]
  const noise = new GaussianNoise(random)
  for (let step = 0; step < steps; step++) {
    for (let j = 0; j < size; j++) sum[j] = multiplier > 0 ? multiplier * clip * noise.next() : 0
    for (const i of drawPatients(table.rows, samplingRate, random)) {
      designRow(setup, table, i, z)
      const residual = residualOf(setup, kind, coef, z, table.label[i] as number)
      const length = Math.abs(residual) * norm(z)
      const weight = length > clip ? (residual * clip) / length : residual
      for (let j = 0; j < size; j++) sum[j] = (sum[j] as number) + weight * (z[j] as number)
    }
    for (let j = 0; j < size; j++) coef[j] = (coef[j] as number) - (learningRate * (sum[j] as number)) / expectedBatch
  }
  return coef
}

function residualOf({ labelMiddle, labelHalf }: PrivateSetup, kind: 'logistic' | 'linear', coef: Float64Array, z: Float64Array, y: number): number {
  return kind === 'logistic' ? probability(coef, z) - y : product(coef, z) - mapped(y, labelMiddle, labelHalf)
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += (a[j] as number) * (b[j] as number)
  return sum
}
