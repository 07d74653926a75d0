import { RotaError } from '#base/errors.ts'
import type { Table } from '../model/table.ts'
import type { Protocol } from '../protocol/protocol.ts'
import { powerOfTwo } from '../ring/powers.ts'

/** What all stages take from a protocol. */
export interface Setup {
  readonly protocol: Protocol
  readonly names: readonly string[]
  /** Range of feature j is middle ± half: u = (x − middle) / half lies in [-1, 1]. */
  readonly middle: readonly number[]
  readonly half: readonly number[]
  readonly labelMiddle: number
  readonly labelHalf: number
  readonly wordBits: 32 | 64
  /** Of the exact stages. */
  readonly fractionBits: number
  /** 2^fractionBits. */
  readonly fractionScale: number
  readonly maxRows: number
}

export function setupOf(protocol: Protocol): Setup {
  const ranges = protocol.features.map((feature) => feature.range)
  const [low, high] = protocol.label.range
  return {
    protocol,
    names: protocol.features.map((feature) => feature.name),
    middle: ranges.map(([lo, hi]) => (lo + hi) / 2),
    half: ranges.map(([lo, hi]) => (hi - lo) / 2),
    labelMiddle: (low + high) / 2,
    labelHalf: (high - low) / 2,
    wordBits: protocol.arithmetic.wordBits,
    fractionBits: protocol.arithmetic.fractionBits,
    fractionScale: powerOfTwo(protocol.arithmetic.fractionBits),
    maxRows: protocol.cohort.maxRows,
  }
}

/**
 * The cohort port has checked all this; a learner checks again, since a value out of range would break the overflow bound.
 * @param missing whether NaN may stand for a missing value (statistics alone)
 * @throws ROTA-2105, ROTA-2106, ROTA-2110
 */
export function checkTable(setup: Setup, table: Table, set: 'train' | 'test', missing = false): void {
  const { protocol, names, maxRows } = setup
  if (table.rows > maxRows) throw new RotaError('ROTA-2106', { rows: table.rows, set, maxRows })
  if (table.columns.length !== names.length || table.columns.some((column, j) => column !== names[j]))
    throw new RotaError('ROTA-2110', { columns: table.columns.join(', '), expected: names.join(', ') })
  protocol.features.forEach(({ name, range: [low, high] }, j) => {
    for (let i = j; i < table.rows * names.length; i += names.length) checkValue(name, table.values[i] as number, low, high, missing)
  })
  const { name, kind, range } = protocol.label
  for (let i = 0; i < table.rows; i++) {
    const y = table.label[i] as number
    checkValue(name, y, range[0], range[1], missing)
    if (kind === 'binary' && y !== 0 && y !== 1 && !Number.isNaN(y)) throw new RotaError('ROTA-2105', { column: name, low: 0, high: 1 })
  }
}

function checkValue(column: string, x: number, low: number, high: number, missing: boolean): void {
  if (!(x >= low && x <= high) && !(missing && Number.isNaN(x))) throw new RotaError('ROTA-2105', { column, low, high })
}
