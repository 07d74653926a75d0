import type { Model } from '../model/model.ts'
import type { SplitTable, Table } from '../model/table.ts'
import type { RegressionSpec } from '../protocol/protocol.ts'
import { layoutOf } from '../ring/layout.ts'
import type { LocalUpdate, VectorLayout } from '../ring/vectors.ts'
import { type Family, familyOf, type RowTerms } from './family.ts'
import { FixedSums } from './fixed-sums.ts'
import { checkTable, type Setup } from './setup.ts'
import { siteIntercept } from './site-intercept.ts'
import { nums } from './state.ts'

/**
 * Sufficient statistics of one Newton (Fisher) step at the model's coefficients: [n, log-likelihood, score, information], the
 * information as its upper triangle by rows. The design is [1, u…], range-mapped features with the common intercept first;
 * Newton's method gives the same fit in any affine coordinates, and these have bounds that are known beforehand.
 *
 * With private intercepts there is no common column. The site finds its own intercept and centres its rows on their weighted
 * mean: row sums of the centred rows are the Schur complement of the intercept.
 */
export function newtonLayout(setup: Setup): VectorLayout {
  const { protocol, names, wordBits, fractionBits, maxRows } = setup
  const { bounds } = familyOf(setup)
  const own = (protocol.learner as RegressionSpec).siteIntercepts
  const columns = own ? names : ['(intercept)', ...names]
  const reach = own ? 2 : 1
  const block = (name: string, length: number, bound: number) => ({ name, length, fractionBits, bound: bound * maxRows, columns })
  return layoutOf('exact', wordBits, [
    { name: 'rows', length: 1, fractionBits: 0, bound: maxRows },
    block('log-likelihood', 1, bounds.logLik),
    block('score', columns.length, reach * bounds.residual),
    { ...block('information', (columns.length * (columns.length + 1)) / 2, reach * reach * bounds.weight), columns: [] },
  ])
}

export function contributeNewton(setup: Setup, model: Model, { train }: SplitTable): LocalUpdate {
  checkTable(setup, train, 'train')
  const spec = setup.protocol.learner as RegressionSpec
  const family = familyOf(setup)
  const layout = newtonLayout(setup)
  const rows = spec.siteIntercepts ? centredRows(setup, spec, family, model, train) : plainRows(setup, family, model, train)
  const coordinates = new BigInt64Array(layout.length)
  coordinates[0] = BigInt(train.rows)
  if (rows) coordinates.set(sumRows(setup, family, rows, spec.siteIntercepts ? 2 : 1), 1)
  return { kind: 'exact', layout, coordinates }
}

/** Design rows, row-major, with linear predictors and scaled responses. */
interface Rows {
  readonly columns: number
  readonly design: Float64Array
  readonly eta: Float64Array
  readonly responses: Float64Array
}

function plainRows(setup: Setup, family: Family, model: Model, table: Table): Rows {
  const coef = nums(model.state, 'coef')
  const p = setup.names.length
  const columns = p + 1
  const design = new Float64Array(table.rows * columns)
  for (let i = 0; i < table.rows; i++) {
    design[i * columns] = 1
    for (let j = 0; j < p; j++) design[i * columns + 1 + j] = ((table.values[i * p + j] as number) - (setup.middle[j] as number)) / (setup.half[j] as number)
  }
  return { columns, design, eta: offsetsOf(model, table, coef.slice(1), coef[0] as number), responses: table.label.map(family.response) }
}

/** Null for a site whose intercept has no finite value: it sends zeros. */
function centredRows(setup: Setup, spec: RegressionSpec, family: Family, model: Model, table: Table): Rows | null {
  const p = setup.names.length
  const offsets = offsetsOf(model, table, nums(model.state, 'coef'), 0)
  const responses = table.label.map(family.response)
  const intercept = siteIntercept(spec.kind, family, offsets, responses)
  if (intercept === null) return null
  const eta = offsets.map((offset) => offset + intercept)
  const { design, mean } = centre(setup, family, table, eta, responses)
  // The intercept of a linear model is the site's mean response once slopes are zero.
  const own = spec.kind === 'linear' ? responses.map((v) => v - intercept) : responses
  return mean ? { columns: p, design, eta, responses: own } : null
}

function centre(setup: Setup, family: Family, table: Table, eta: Float64Array, responses: Float64Array): { design: Float64Array; mean: Float64Array | null } {
  const p = setup.names.length
  const design = new Float64Array(table.rows * p)
  const mean = new Float64Array(p)
  const row: RowTerms = { residual: 0, weight: 0, logLik: 0 }
  let weights = 0
  for (let i = 0; i < table.rows; i++) {
    family.evaluate(eta[i] as number, responses[i] as number, row)
    weights += row.weight
    for (let j = 0; j < p; j++) {
      const u = ((table.values[i * p + j] as number) - (setup.middle[j] as number)) / (setup.half[j] as number)
      design[i * p + j] = u
      mean[j] = (mean[j] as number) + row.weight * u
    }
  }
  if (!(weights > 0)) return { design, mean: null }
  for (let i = 0; i < design.length; i++) design[i] = (design[i] as number) - (mean[i % p] as number) / weights
  return { design, mean }
}

/** Σ slope · z of each row, plus the intercept. */
export function offsetsOf(model: Model, table: Table, slopes: readonly number[], intercept: number): Float64Array {
  const mean = nums(model.state, 'mean')
  const std = nums(model.state, 'std')
  const p = slopes.length
  const eta = new Float64Array(table.rows)
  for (let i = 0; i < table.rows; i++) {
    let sum = intercept
    for (let j = 0; j < p; j++) sum += (slopes[j] as number) * (((table.values[i * p + j] as number) - (mean[j] as number)) / (std[j] as number))
    eta[i] = sum
  }
  return eta
}

function sumRows(setup: Setup, family: Family, { columns: q, design, eta, responses }: Rows, reach: number): BigInt64Array {
  const { bounds } = family
  const bound = Math.max(bounds.logLik, reach * bounds.residual, reach * reach * bounds.weight)
  const sums = new FixedSums(1 + q + (q * (q + 1)) / 2, setup.fractionBits, bound)
  const row: RowTerms = { residual: 0, weight: 0, logLik: 0 }
  for (let i = 0; i < eta.length; i++) {
    family.evaluate(eta[i] as number, responses[i] as number, row)
    sums.add(0, row.logLik)
    let at = 1 + q
    for (let j = 0; j < q; j++) {
      const x = design[i * q + j] as number
      sums.add(1 + j, x * row.residual)
      const weighted = x * row.weight
      for (let k = j; k < q; k++) sums.add(at++, weighted * (design[i * q + k] as number))
    }
    sums.endRow()
  }
  return sums.total()
}
