import type { Model } from '../model/model.ts'
import type { SplitTable, Table } from '../model/table.ts'
import type { Protocol, ValidationSpec } from '../protocol/protocol.ts'
import { log } from './elementary.ts'
import { ownIntercept, type Predictor, predictorOf } from './predict.ts'
import { setupOf } from './setup.ts'

/** Of one row, so that none outweighs all others. */
const MOST = 32
const SURE = 1e-13
/** Weights × rows: a vote takes about as long as an epoch of training would on as many rows. Of more rows the first are taken. */
const MOST_WORK = 2e8

/**
 * Whether a site votes against a model: over its own test rows the mean loss is higher than that of the model before by more than the tolerance.
 * An exact fit is allowed to overshoot, since its next step takes that back: it is also measured against knowing nothing. Never where there is nothing to
 * measure: too few rows, no model before, nothing to predict with.
 */
export function isWorse(base: Model, candidate: Model, protocol: Protocol, { train, test }: SplitTable, { tolerance, minRows }: ValidationSpec): boolean {
  if (tolerance === 'none' || test.rows < minRows) return false
  const [before, after] = [meanLoss(base, protocol, train, test), meanLoss(candidate, protocol, train, test)]
  if (before === null || after === null) return false
  const isExact = 'algorithm' in protocol.learner && protocol.learner.algorithm === 'newton'
  return !(after <= (isExact ? Math.max(before, lossOfNothing(protocol, train, test)) : before) + tolerance)
}

/** Over a site's rows: log loss of a binary label, else the squared error in half ranges of the label. Null where the model predicts nothing. */
export function meanLoss(model: Model, protocol: Protocol, train: Table, test: Table): number | null {
  const predict = predictorOf(model, protocol, ownIntercept(model, protocol, train))
  return predict === null ? null : meanOver(test, lossOf(protocol), predict, sizeOf(model))
}

/** Of a model that foretells the mean of the site's own labels; of a binary label an even chance. */
function lossOfNothing(protocol: Protocol, train: Table, test: Table): number {
  if (protocol.label.kind === 'binary') return log(2)
  const mean = train.rows === 0 ? setupOf(protocol).labelMiddle : train.label.reduce((sum, y) => sum + y, 0) / train.rows
  return meanOver(test, lossOf(protocol), () => mean, 1)
}

type RowLoss = (label: number, predicted: number) => number

function lossOf(protocol: Protocol): RowLoss {
  const { labelHalf } = setupOf(protocol)
  if (protocol.label.kind !== 'binary' || protocol.learner.kind === 'linear') return (y, predicted) => ((predicted - y) / labelHalf) ** 2
  return (y, p) => -log(Math.max(SURE, y === 1 ? p : 1 - p))
}

function meanOver(table: Table, loss: RowLoss, predict: Predictor, size: number): number {
  const columns = table.columns.length
  const rows = Math.max(1, Math.min(table.rows, Math.floor(MOST_WORK / size)))
  let sum = 0
  for (let i = 0; i < rows; i++) {
    const each = loss(table.label[i] as number, predict(table.values.subarray(i * columns, (i + 1) * columns)))
    sum += each <= MOST ? each : MOST
  }
  return sum / rows
}

/** Numbers that a prediction reads. */
const sizeOf = ({ state }: Model): number => (state.weights instanceof Uint8Array ? state.weights.length / 4 : 1_000)
