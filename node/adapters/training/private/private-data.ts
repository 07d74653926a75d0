import { RotaError } from '#base/errors.ts'
import type { Patients } from '#core/learner/private/units.ts'
import type { Tf } from '../tf.ts'
import type { PatientBatch } from './clipped-gradients.ts'
import type { Sequential } from './tfl.ts'

export interface PrivateRows {
  /** Row-major, each row of the model's input shape. */
  readonly features: Float32Array
  readonly labels: Float32Array
  readonly patients: Patients
}

/** Rows that fit a model. */
export interface PrivateData extends PrivateRows {
  readonly inputShape: readonly number[]
  readonly width: number
  readonly outputs: number
}

/** @throws ROTA-2386 for rows that do not fit the model, or are no numbers */
export function dataOf(model: Sequential, rows: PrivateRows): PrivateData {
  const [inputShape, outputShape] = [model.inputs, model.outputs].map((ends) => (ends[0]?.shape ?? []).slice(1)) as [number[], number[]]
  if (model.inputs.length !== 1 || [...inputShape, ...outputShape].some((length) => length === null)) throw unfit('it needs one input of a fixed size')
  const [width, outputs] = [inputShape, outputShape].map((shape) => shape.reduce((product, length) => product * length, 1)) as [number, number]
  const { features, labels, patients } = rows
  const count = patients.order.length
  if (features.length !== count * width || labels.length !== count * outputs)
    throw unfit(`${features.length} features and ${labels.length} labels for ${count} rows of ${width} and ${outputs}`)
  if (!features.every(Number.isFinite) || !labels.every(Number.isFinite)) throw unfit('features or labels that are no numbers')
  return { ...rows, inputShape, width, outputs }
}

const unfit = (reason: string): RotaError => new RotaError('ROTA-2386', { reason })

/** The rows of the drawn patients, one patient after the other; its tensors are the caller's to dispose of. */
export function batchOf(tf: Tf, { features, labels, patients, inputShape, width, outputs }: PrivateData, drawn: Uint32Array): PatientBatch {
  const { starts, order } = patients
  const bounds = new Uint32Array(drawn.length + 1)
  drawn.forEach((p, i) => {
    bounds[i + 1] = (bounds[i] as number) + (starts[p + 1] as number) - (starts[p] as number)
  })
  const rows = bounds.at(-1) as number
  const [x, y] = [new Float32Array(rows * width), new Float32Array(rows * outputs)]
  let at = 0
  for (const p of drawn) {
    for (const row of order.subarray(starts[p], starts[p + 1])) {
      x.set(features.subarray(row * width, (row + 1) * width), at * width)
      y.set(labels.subarray(row * outputs, (row + 1) * outputs), at * outputs)
      at++
    }
  }
  return { x: tf.tensor(x, [rows, ...inputShape]), y: tf.tensor(y, [rows, outputs]), bounds }
}
