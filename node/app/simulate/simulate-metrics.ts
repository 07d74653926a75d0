import type { Metrics, TestMetrics } from '#app/results/results.ts'
import { binaryMetrics, numberMetrics, scoresOf } from '#core/evaluation/metrics.ts'
import { ownIntercept, predictorOf } from '#core/learner/predict.ts'
import type { Model } from '#core/model/model.ts'
import type { SplitTable, Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'

export interface Scored {
  readonly scores: Float64Array
  readonly outcomes: Float64Array
}

/** Whether predictions are probabilities of a yes. */
export const isBinary = ({ learner, label }: Protocol): boolean => label.kind === 'binary' && learner.kind !== 'linear' && learner.kind !== 'statistics'

/**
 * Scores of a site's test rows, with its private intercept where there is one.
 * @param train the rows that the private intercept is found with; another site's rows are judged with the model's own site
 * @returns null when the model cannot predict for them
 */
export function scored(model: Model, protocol: Protocol, test: Table, train: Table): Scored | null {
  const predictor = predictorOf(model, protocol, ownIntercept(model, protocol, train))
  return predictor === null ? null : { scores: scoresOf(test, predictor), outcomes: test.label }
}

export function metricsOf(protocol: Protocol, parts: readonly (Scored | null)[]): Metrics {
  const scores = join(parts.map((part) => part?.scores))
  const outcomes = join(parts.map((part) => part?.outcomes))
  if (isBinary(protocol)) return binaryMetrics(scores, outcomes)
  const { n, rmse, r2 } = numberMetrics(scores, outcomes)
  return { n, accuracy: null, auc: null, logLoss: null, rmse, r2 }
}

/** Exact metrics of the joint model on every site's test rows: only a simulation sees them all. */
export function testMetrics(
  model: Model,
  protocol: Protocol,
  tables: ReadonlyMap<string, SplitTable>,
): { readonly metrics: TestMetrics; readonly pooled: Scored } {
  const parts = [...tables].map(([site, { train, test }]) => ({ site, part: scored(model, protocol, test, train) }))
  const sites = Object.fromEntries(parts.map(({ site, part }) => [site, metricsOf(protocol, [part])]))
  const all = parts.map(({ part }) => part)
  return {
    metrics: { pooled: metricsOf(protocol, all), sites },
    pooled: { scores: join(all.map((part) => part?.scores)), outcomes: join(all.map((part) => part?.outcomes)) },
  }
}

export function privateIntercepts(model: Model, protocol: Protocol, tables: ReadonlyMap<string, SplitTable>): Readonly<Record<string, number | null>> | null {
  if (!('siteIntercepts' in protocol.learner) || !protocol.learner.siteIntercepts) return null
  return Object.fromEntries([...tables].map(([site, { train }]) => [site, ownIntercept(model, protocol, train)]))
}

function join(parts: readonly (Float64Array | undefined)[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0))
  let at = 0
  for (const part of parts) {
    if (part === undefined) continue
    out.set(part, at)
    at += part.length
  }
  return out
}
