import { separationOf } from '#core/evidence/separation.ts'
import { log } from '#core/learner/elementary.ts'
import { ownIntercept, predictorOf } from '#core/learner/predict.ts'
import type { Model } from '#core/model/model.ts'
import type { Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ComparedWith } from './compared-rows.ts'
import type { JudgedRows } from './unlearn-site.ts'

/** How well one attack tells withdrawn records from others: area under the curve, 0.5 is not at all. */
export interface Membership {
  readonly records: number
  readonly others: number
  readonly othersAre: ComparedWith
  /** By the model that was made with the records. */
  readonly before: number | null
  readonly after: number | null
}

/** Why there is none. */
export type NoFigure =
  | 'the rows can no longer be read'
  | 'one of the two models is not on the disk of this hospital'
  | 'the record was held out to test the models, and none was trained on it'
  | 'this hospital has no other records, that neither run or that both were made with, to compare with'
  | 'these models foretell nothing about one row'

/**
 * The loss-threshold attack: a model knows best what it was trained on, so that a smaller loss speaks for a member. Evidence and no proof: other
 * attacks may tell more, and a handful of records says little.
 * @see Yeom et al. 2018, arXiv:1709.01604
 */
export function membershipOf(protocol: Protocol, before: Model, after: Model, { withdrawn, others, othersAre, train }: JudgedRows): Membership {
  const area = (model: Model): number | null => {
    const [of, beside] = [lossesOf(model, protocol, withdrawn, train), lossesOf(model, protocol, others, train)]
    return of === null || beside === null ? null : areaBelow(of, beside)
  }
  return { records: withdrawn.rows, others: others.rows, othersAre, before: area(before), after: area(after) }
}

/** The chance that a member's loss is below another's; ties count half. Null where there are none of one kind. */
export const areaBelow = (members: readonly number[], others: readonly number[]): number | null =>
  separationOf({ members: members.map((loss) => -loss), others: others.map((loss) => -loss) })?.area ?? null

/** Of each row; null for a model that foretells nothing (statistics, a fit that failed). */
function lossesOf(model: Model, protocol: Protocol, table: Table, train: Table): number[] | null {
  const predict = predictorOf(model, protocol, ownIntercept(model, protocol, train))
  if (predict === null) return null
  const width = table.columns.length
  const loss = protocol.label.kind === 'binary' ? crossEntropy : squaredError
  return Array.from({ length: table.rows }, (_, row) => loss(predict(table.values.subarray(row * width, (row + 1) * width)), table.label[row] as number))
}

const crossEntropy = (p: number, y: number): number => -log(Math.max(SMALLEST, y === 1 ? p : 1 - p))
const squaredError = (p: number, y: number): number => (p - y) * (p - y)
const SMALLEST = 1e-12
