import type { Table } from '#core/model/table.ts'
import { log } from '../elementary.ts'
import type { Predictor } from '../predict.ts'
import { eachPatient, mapped, type PrivateSetup } from './rows.ts'
import { PrivateSum, type PrivateSumPolicy, type SumNoise } from './sums.ts'
import type { Patients } from './units.ts'

/**
 * What of test rows is summed to judge a model by, in one release with noise.
 *
 * A binary label: [right, wrong, log loss / LOSS_LIMIT, rows with the outcome in each bin of the score, rows without it in each]. A row is in one of the first
 * two, and in one bin; its loss is cut off at LOSS_LIMIT. There is no count of rows: it is right + wrong, so that it costs nothing.
 * A number: [rows, squared error, v, v²], v the label over its range, the error in half ranges, its square cut off at 1.
 *
 * Sensitivity. A row of a binary label adds 1 to right or wrong, at most 1 to the loss, 1 to a bin: √3 at most. One of a number adds 1, at most 1, |v| ≤ 1 and
 * v² ≤ 1: √4 = 2 at most. A patient with k rows, k ≤ rowsPerPatient, has k times as much at most; the sum is scaled to that. Neighbours differ in one patient
 * among those who test; the model is given, whoever it was fitted with.
 *
 * Bins are 12, and of the log odds, three quarters of a unit wide: an AUC has noise by about the root of their number, so that with the 1,000 bins of a study
 * without noise (core/learner/evaluation-stage.ts) it would have nine times as much. In log odds they also tell rows apart whose outcome is rare.
 */
export const testSensitivity = (isBinary: boolean, { rowsPerPatient }: Pick<PrivateSumPolicy, 'rowsPerPatient'>): number =>
  rowsPerPatient * (isBinary ? Math.sqrt(3) : 2)

export const SCORE_BINS = 12
/** Of one row's log loss: that of a probability of 0.018 for what happened. */
export const LOSS_LIMIT = 4
export const BIN_WIDTH = 0.75
const SURE = 1e-13

/** Places in the vector. */
export const AT = { right: 0, wrong: 1, loss: 2, positives: 3, negatives: 3 + SCORE_BINS, rows: 0, squares: 1, label: 2, labelSquares: 3 } as const

export const testLength = (isBinary: boolean): number => (isBinary ? 3 + 2 * SCORE_BINS : 4)

/** A site's part, in steps of 2^-fractionBits. A prediction that is no number counts as an even chance, or as the middle of the range. */
export function releaseTest(
  setup: PrivateSetup,
  isBinary: boolean,
  table: Table,
  patients: Patients,
  predict: Predictor,
  policy: PrivateSumPolicy,
  noise: SumNoise,
): BigInt64Array {
  const length = testLength(isBinary)
  const sum = new PrivateSum(length, setup.fractionBits, testSensitivity(isBinary, policy))
  const p = table.columns.length
  const add = isBinary ? addOutcome : addNumber
  const row = (i: number, into: Float64Array): void => add(setup, table.label[i] as number, predict(table.values.subarray(i * p, (i + 1) * p)), into)
  eachPatient(patients, length, row, (vector) => sum.addPatient(vector))
  return sum.release(policy, noise)
}

function addOutcome(_setup: PrivateSetup, y: number, predicted: number, into: Float64Array): void {
  const p = predicted > SURE ? (predicted < 1 - SURE ? predicted : 1 - SURE) : predicted <= SURE ? SURE : 0.5
  const happened = y === 1
  const loss = -log(happened ? p : 1 - p)
  plus(into, p >= 0.5 === happened ? AT.right : AT.wrong, 1)
  plus(into, AT.loss, loss < LOSS_LIMIT ? loss / LOSS_LIMIT : 1)
  plus(into, (happened ? AT.positives : AT.negatives) + binOf(p), 1)
}

/** Log odds from −4.5 to 4.5; beyond, the outermost. */
export function binOf(p: number): number {
  const bin = Math.floor(log(p / (1 - p)) / BIN_WIDTH) + SCORE_BINS / 2
  return bin < 0 ? 0 : bin < SCORE_BINS ? bin : SCORE_BINS - 1
}

function addNumber({ labelMiddle, labelHalf }: PrivateSetup, y: number, predicted: number, into: Float64Array): void {
  const v = mapped(y, labelMiddle, labelHalf)
  const error = (y - (Number.isFinite(predicted) ? predicted : labelMiddle)) / labelHalf
  const square = error * error
  plus(into, AT.rows, 1)
  plus(into, AT.squares, square < 1 ? square : 1)
  plus(into, AT.label, v)
  plus(into, AT.labelSquares, v * v)
}

function plus(into: Float64Array, at: number, x: number): void {
  into[at] = (into[at] as number) + x
}
