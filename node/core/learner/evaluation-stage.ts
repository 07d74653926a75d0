import type { Model, ModelState } from '../model/model.ts'
import type { SplitTable, Table } from '../model/table.ts'
import { layoutOf } from '../ring/layout.ts'
import type { LocalUpdate, SumValues, VectorBlock, VectorLayout } from '../ring/vectors.ts'
import { log } from './elementary.ts'
import { FixedSums } from './fixed-sums.ts'
import type { Advance } from './learner.ts'
import { ownIntercept, type Predictor, predictorOf } from './predict.ts'
import { checkTable, type Setup } from './setup.ts'
import { modelOf } from './state.ts'

/**
 * Last stage of every fit: metrics of the test rows, summed. For a binary label rows, correct, log loss and a histogram of the
 * scores by outcome, from which a pooled AUC follows (ties within a bin count half; the exact one needs the rows and stays local);
 * for a number or count squared error and deviance. The training rows' log loss or squared error goes along.
 * A site whose private intercept is not finite cannot predict and sends zeros.
 */
export const SCORE_BINS = 1000

/** Of squared errors in half ranges; larger ones count as this. */
const SQUARE_LIMIT = 256
const DEVIANCE_LIMIT = 256
const LOSS_LIMIT = 32
const SURE = 1e-13

/** Places in the vector. */
const AT = { rows: 0, correct: 1, trainRows: 2, loss: 3, trainLoss: 4, squares: 5, label: 6, labelSquares: 7, positives: 5, negatives: 5 + SCORE_BINS } as const

export function evaluationLayout(setup: Setup): VectorLayout {
  const { wordBits, maxRows, fractionBits } = setup
  const counts = (name: string, length: number): VectorBlock => ({ name, length, fractionBits: 0, bound: maxRows })
  const sums = (name: string, length: number, bound: number): VectorBlock => ({ name, length, fractionBits, bound: bound * maxRows })
  const head = [counts('rows', 1), counts('correct', 1), counts('train rows', 1)]
  return layoutOf(
    'exact',
    wordBits,
    isBinary(setup)
      ? [...head, sums('loss', 2, LOSS_LIMIT), counts('positives', SCORE_BINS), counts('negatives', SCORE_BINS)]
      : [...head, sums('deviance', 2, DEVIANCE_LIMIT), sums('squared error', 1, SQUARE_LIMIT), sums('label', 2, 1)],
  )
}

const isBinary = ({ protocol }: Setup): boolean => protocol.label.kind === 'binary' && protocol.learner.kind !== 'linear'

export function contributeEvaluation(setup: Setup, model: Model, { train, test }: SplitTable): LocalUpdate {
  checkTable(setup, train, 'train')
  checkTable(setup, test, 'test')
  const layout = evaluationLayout(setup)
  const coordinates = new BigInt64Array(layout.length)
  const predict = predictorOf(model, setup.protocol, ownIntercept(model, setup.protocol, train))
  if (predict) {
    const fill = isBinary(setup) ? fillBinary : fillNumber
    fill(setup, predict, test, coordinates, false)
    fill(setup, predict, train, coordinates, true)
  }
  return { kind: 'exact', layout, coordinates }
}

function fillBinary(setup: Setup, predict: Predictor, table: Table, out: BigInt64Array, train: boolean): void {
  const sums = new FixedSums(1, setup.fractionBits, LOSS_LIMIT)
  eachRow(table, predict, (y, score) => {
    const p = score < SURE ? SURE : score > 1 - SURE ? 1 - SURE : score
    sums.add(0, -log(y === 1 ? p : 1 - p))
    sums.endRow()
    if (train) return
    const bin = Math.min(SCORE_BINS - 1, Math.floor(p * SCORE_BINS))
    const at = (y === 1 ? AT.positives : AT.negatives) + bin
    out[at] = (out[at] as bigint) + 1n
    if (p >= 0.5 === (y === 1)) out[AT.correct] = (out[AT.correct] as bigint) + 1n
  })
  out[train ? AT.trainRows : AT.rows] = BigInt(table.rows)
  out[train ? AT.trainLoss : AT.loss] = sums.total()[0] as bigint
}

function fillNumber(setup: Setup, predict: Predictor, table: Table, out: BigInt64Array, train: boolean): void {
  const { labelMiddle, labelHalf, protocol } = setup
  const count = protocol.learner.kind === 'poisson'
  const high = protocol.label.range[1]
  const sums = new FixedSums(4, setup.fractionBits, SQUARE_LIMIT)
  eachRow(table, predict, (y, mean) => {
    const error = (y - mean) / labelHalf
    const square = Math.min(SQUARE_LIMIT, error * error)
    sums.add(0, count ? Math.min(DEVIANCE_LIMIT, countDeviance(y, mean) / high) : Math.min(DEVIANCE_LIMIT, square))
    sums.add(1, square)
    const v = (y - labelMiddle) / labelHalf
    sums.add(2, v)
    sums.add(3, v * v)
    sums.endRow()
  })
  const [deviance, squares, label, labelSquares] = sums.total() as unknown as [bigint, bigint, bigint, bigint]
  out[train ? AT.trainRows : AT.rows] = BigInt(table.rows)
  out[train ? AT.trainLoss : AT.loss] = deviance
  if (!train) out.set([squares, label, labelSquares], AT.squares)
}

const countDeviance = (y: number, mean: number): number => 2 * ((y > 0 ? y * (log(y) - log(mean)) : 0) - (y - mean))

function eachRow(table: Table, predict: Predictor, use: (y: number, prediction: number) => void): void {
  const p = table.columns.length
  for (let i = 0; i < table.rows; i++) use(table.label[i] as number, predict(table.values.subarray(i * p, (i + 1) * p)))
}

export function advanceEvaluation(setup: Setup, model: Model, sum: SumValues): Advance {
  const test = isBinary(setup) ? binaryMetrics(sum) : numberMetrics(setup, sum)
  const trainRows = sum.at(AT.trainRows)
  const train = { n: trainRows, loss: trainRows > 0 ? (sum.at(AT.trainLoss) * lossUnit(setup)) / trainRows : null }
  return { model: modelOf(model.learner, 'done', { ...model.state, test, train }), status: 'finished' }
}

/** Mean loss in its own unit: log loss, squared error, or deviance. */
const lossUnit = (setup: Setup): number => {
  if (isBinary(setup)) return 1
  return setup.protocol.learner.kind === 'poisson' ? setup.protocol.label.range[1] : setup.labelHalf * setup.labelHalf
}

function binaryMetrics(sum: SumValues): ModelState {
  const n = sum.at(AT.rows)
  if (n === 0) return { n, accuracy: null, logLoss: null, aucHistogram: null }
  return { n, accuracy: sum.at(AT.correct) / n, logLoss: sum.at(AT.loss) / n, aucHistogram: histogramAuc(sum) }
}

/** Chance that a positive scores above a negative. Bins of a masked sum may hold less than none, where a site lied. */
function histogramAuc(sum: SumValues): number | null {
  let wins = 0
  let below = 0
  let positives = 0
  for (let bin = 0; bin < SCORE_BINS; bin++) {
    const here = sum.at(AT.negatives + bin)
    const found = sum.at(AT.positives + bin)
    wins += found * (below + here / 2)
    below += here
    positives += found
  }
  return positives > 0 && below > 0 ? Math.min(1, Math.max(0, wins / (positives * below))) : null
}

function numberMetrics(setup: Setup, sum: SumValues): ModelState {
  const n = sum.at(AT.rows)
  if (n === 0) return { n, deviance: null, rmse: null, r2: null }
  const unit = setup.labelHalf * setup.labelHalf
  const squares = sum.at(AT.squares)
  const spread = sum.at(AT.labelSquares) - (sum.at(AT.label) * sum.at(AT.label)) / n
  return {
    n,
    deviance: sum.at(AT.loss) * lossUnit(setup),
    rmse: squares >= 0 && n > 0 ? Math.sqrt((squares * unit) / n) : null,
    r2: spread > 0 ? 1 - squares / spread : null,
  }
}
