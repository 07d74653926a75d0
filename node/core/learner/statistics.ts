import type { Model, ModelState, ModelValue } from '../model/model.ts'
import type { SplitTable } from '../model/table.ts'
import type { StatisticsSpec } from '../protocol/protocol.ts'
import { layoutOf } from '../ring/layout.ts'
import type { LocalUpdate, SumValues, VectorLayout } from '../ring/vectors.ts'
import { FixedSums } from './fixed-sums.ts'
import type { Advance } from './learner.ts'
import { checkTable, type Setup } from './setup.ts'
import { modelOf } from './state.ts'

/**
 * One round: per feature and label the rows with a value, sum and squares over the range, and a histogram of the valid range, of
 * the training rows. The model keeps no cell of 1 to 9 pooled rows (the sum itself does hold them: members of an open study see it).
 */
export const SMALLEST_CELL = 10
const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const

/** Features, then the label. */
const variables = ({ protocol }: Setup): readonly { readonly name: string; readonly range: readonly [number, number] }[] => [
  ...protocol.features,
  protocol.label,
]

export function statisticsLayout(setup: Setup): VectorLayout {
  const { wordBits, fractionBits, maxRows, protocol } = setup
  const { bins } = protocol.learner as StatisticsSpec
  const blocks = variables(setup).flatMap(({ name }) => [
    { name: `${name} present`, length: 1, fractionBits: 0, bound: maxRows },
    { name: `${name} sums`, length: 2, fractionBits, bound: maxRows },
    { name: `${name} histogram`, length: bins, fractionBits: 0, bound: maxRows },
  ])
  return layoutOf('exact', wordBits, [{ name: 'rows', length: 1, fractionBits: 0, bound: maxRows }, ...blocks])
}

export function contributeStatistics(setup: Setup, { train }: SplitTable): LocalUpdate {
  checkTable(setup, train, 'train', true)
  const layout = statisticsLayout(setup)
  const { bins } = setup.protocol.learner as StatisticsSpec
  const coordinates = new BigInt64Array(layout.length)
  coordinates[0] = BigInt(train.rows)
  const p = setup.names.length
  variables(setup).forEach(({ range }, j) => {
    const value = j < p ? (i: number) => train.values[i * p + j] as number : (i: number) => train.label[i] as number
    coordinates.set(countOne(value, train.rows, range, bins, setup.fractionBits), 1 + j * (3 + bins))
  })
  return { kind: 'exact', layout, coordinates }
}

/** [present, Σu, Σu², histogram…] of one variable, u ∈ [-1, 1] over its range. */
function countOne(value: (i: number) => number, rows: number, [low, high]: readonly [number, number], bins: number, fractionBits: number): BigInt64Array {
  const sums = new FixedSums(2, fractionBits, 1)
  const counts = new Float64Array(1 + bins)
  for (let i = 0; i < rows; i++) {
    const x = value(i)
    if (Number.isNaN(x)) continue
    const u = (x - (low + high) / 2) / ((high - low) / 2)
    sums.add(0, u)
    sums.add(1, u * u)
    sums.endRow()
    const bin = 1 + Math.min(bins - 1, Math.floor(((x - low) / (high - low)) * bins))
    counts[0] = (counts[0] as number) + 1
    counts[bin] = (counts[bin] as number) + 1
  }
  const out = new BigInt64Array(3 + bins)
  out[0] = BigInt(counts[0] as number)
  out.set(sums.total(), 1)
  for (let bin = 0; bin < bins; bin++) out[3 + bin] = BigInt(counts[1 + bin] as number)
  return out
}

export function advanceStatistics(setup: Setup, model: Model, sum: SumValues): Advance {
  const { bins } = setup.protocol.learner as StatisticsSpec
  const rows = sum.at(0)
  const described = variables(setup).map(({ name, range }, j) => describe(name, range, rows, bins, (i) => sum.at(1 + j * (3 + bins) + i)))
  return { model: modelOf(model.learner, 'done', { rows: rows > 0 && rows < SMALLEST_CELL ? null : rows, variables: described }), status: 'finished' }
}

function describe(name: string, [low, high]: readonly [number, number], rows: number, bins: number, at: (i: number) => number): ModelState {
  const present = at(0)
  const missing = rows - present
  const base: ModelState = { name, low, high }
  const nothing = { present: null, missing: null, mean: null, variance: null, min: null, max: null, quantiles: QUANTILES.map(() => null) }
  if (present < SMALLEST_CELL) return { ...base, ...nothing, histogram: new Array<ModelValue>(bins).fill(null) }
  const counts = Array.from({ length: bins }, (_, bin) => at(3 + bin))
  const shown = withheld(counts)
  const half = (high - low) / 2
  const mean = at(1) / present
  const spread = (at(2) - at(1) * mean) / (present - 1)
  const width = (high - low) / bins
  const full = counts.flatMap((count, bin) => (count >= SMALLEST_CELL ? [bin] : []))
  const few = missing > 0 && missing < SMALLEST_CELL
  return {
    ...base,
    present: few ? null : present,
    missing: few ? null : missing,
    mean: (low + high) / 2 + half * mean,
    variance: spread > 0 ? spread * half * half : 0,
    min: full.length > 0 ? low + width * (full[0] as number) : null,
    max: full.length > 0 ? low + width * ((full.at(-1) as number) + 1) : null,
    histogram: shown,
    quantiles: QUANTILES.map((q) => quantile(q * present, counts, shown, low, width)),
  }
}

/**
 * Null for cells of 1 to 9 rows; and where what is hidden adds up to less than ten, for the next smallest too, since the
 * hidden cell would follow from the total.
 */
function withheld(counts: readonly number[]): (number | null)[] {
  const shown: (number | null)[] = counts.map((count) => (count > 0 && count < SMALLEST_CELL ? null : count))
  const hidden = (): number => counts.reduce((total, count, bin) => (shown[bin] === null ? total + count : total), 0)
  const alone = (): boolean => shown.filter((count) => count === null).length === 1
  while (hidden() > 0 && (hidden() < SMALLEST_CELL || alone())) {
    let next = -1
    shown.forEach((count, bin) => {
      if (count !== null && count > 0 && (next < 0 || count < (shown[next] as number))) next = bin
    })
    if (next < 0) break
    shown[next] = null
  }
  return shown
}

/** Linear within its bin; null where that bin is withheld. */
function quantile(rank: number, counts: readonly number[], shown: readonly (number | null)[], low: number, width: number): number | null {
  let below = 0
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number
    if (count > 0 && below + count >= rank) return shown[bin] === null ? null : low + width * (bin + (rank - below) / count)
    below += count
  }
  return null
}
