import type { ModelState } from '../model/model.ts'
import type { SplitTable } from '../model/table.ts'
import { layoutOf } from '../ring/layout.ts'
import { powerOfTwo } from '../ring/powers.ts'
import type { LocalUpdate, SumValues, VectorBlock, VectorLayout } from '../ring/vectors.ts'
import { log, logFactorial } from './elementary.ts'
import { FixedSums } from './fixed-sums.ts'
import type { Problem } from './problem.ts'
import { checkTable, type Setup } from './setup.ts'
import { list } from './state.ts'

/**
 * First stage of every fit: rows, sums and squares of the range-mapped features and label, from which the pooled mean and the
 * population standard deviation follow. Poisson adds the two sums of its likelihood that do not depend on the coefficients.
 */
export function momentsLayout({ protocol, names, wordBits, fractionBits, maxRows }: Setup): VectorLayout {
  const sums = (name: string, length: number, bound: number): VectorBlock => ({ name, length, fractionBits, bound: bound * maxRows, columns: names })
  return layoutOf('exact', wordBits, [
    { name: 'rows', length: 1, fractionBits: 0, bound: maxRows },
    sums('sum', names.length, 1),
    sums('squares', names.length, 1),
    sums('label', 2, 1),
    ...(protocol.learner.kind === 'poisson' ? [sums('saturated', 1, COUNT_BOUND), sums('log factorial', 1, COUNT_BOUND)] : []),
  ])
}

/** Of |y ln y − y| / high and ln y! / high, for counts up to e^60. */
const COUNT_BOUND = 64

export function contributeMoments(setup: Setup, { train }: SplitTable): LocalUpdate {
  const { names, middle, half, labelMiddle, labelHalf, fractionBits, protocol } = setup
  checkTable(setup, train, 'train')
  const layout = momentsLayout(setup)
  const p = names.length
  const poisson = protocol.learner.kind === 'poisson'
  const sums = new FixedSums(layout.length - 1, fractionBits, poisson ? COUNT_BOUND : 1)
  for (let i = 0; i < train.rows; i++) {
    for (let j = 0; j < p; j++) {
      const u = ((train.values[i * p + j] as number) - (middle[j] as number)) / (half[j] as number)
      sums.add(j, u)
      sums.add(p + j, u * u)
    }
    const y = train.label[i] as number
    const v = (y - labelMiddle) / labelHalf
    sums.add(2 * p, v)
    sums.add(2 * p + 1, v * v)
    if (poisson) {
      const high = protocol.label.range[1]
      sums.add(2 * p + 2, (y > 0 ? y * log(y) - y : 0) / high)
      sums.add(2 * p + 3, logFactorial(y) / high)
    }
    sums.endRow()
  }
  const coordinates = new BigInt64Array(layout.length)
  coordinates[0] = BigInt(train.rows)
  coordinates.set(sums.total(), 1)
  return { kind: 'exact', layout, coordinates }
}

export interface Moments {
  /** rows, mean and std of the features on their own scale, labelMean, labelStd; for Poisson saturated and logFactorials. */
  readonly state: ModelState
  readonly constant: readonly string[]
  readonly problem: Problem | null
}

/** A column whose spread is below this part of its range counts as constant: fixed point could not tell. */
const spreadFloor = (fractionBits: number): number => 8 * powerOfTwo(-fractionBits)

export function finishMoments(setup: Setup, sum: SumValues): Moments {
  const { names, middle, half, labelMiddle, labelHalf, fractionBits, protocol } = setup
  const p = names.length
  const rows = sum.at(0)
  const floor = spreadFloor(fractionBits)
  const spread = (mean: number, squares: number): number => {
    const variance = squares - mean * mean
    return variance > floor ? Math.sqrt(variance) : 0
  }
  const per = rows > 0 ? 1 / rows : 0
  const means = names.map((_, j) => sum.at(1 + j) * per)
  const stds = names.map((_, j) => spread(means[j] as number, sum.at(1 + p + j) * per))
  const labelMean = sum.at(1 + 2 * p) * per
  const labelStd = spread(labelMean, sum.at(2 + 2 * p) * per)
  const high = protocol.label.range[1]
  const state: ModelState = {
    rows,
    mean: list(means.map((m, j) => (middle[j] as number) + (half[j] as number) * m)),
    std: list(stds.map((s, j) => (s > 0 ? s * (half[j] as number) : 1))),
    labelMean: labelMiddle + labelHalf * labelMean,
    labelStd: labelHalf * labelStd,
    ...(protocol.learner.kind === 'poisson' ? { saturated: sum.at(3 + 2 * p) * high, logFactorials: sum.at(4 + 2 * p) * high } : {}),
  }
  return { state, constant: names.filter((_, j) => stds[j] === 0), problem: problemIn(setup, rows, labelStd, state.labelMean as number) }
}

function problemIn({ protocol, names }: Setup, rows: number, labelStd: number, labelMean: number): Problem | null {
  if (rows === 0) return { code: 'ROTA-2206', columns: names }
  const { kind } = protocol.learner
  if ((kind === 'logistic' && labelStd === 0) || (kind === 'poisson' && labelMean <= 0)) return { code: 'ROTA-2203', columns: [protocol.label.name] }
  return null
}
