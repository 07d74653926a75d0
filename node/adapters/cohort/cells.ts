import { RotaError } from '#base/errors.ts'
import type { Conversion } from './units.ts'

/** Where a cell stands, for error text: never its contents. */
export interface CellPlace {
  readonly file: string
  readonly line: number
  readonly column: string
}

export interface CellReader {
  readonly missing: ReadonlySet<string>
  readonly decimal: '.' | ','
  readonly codes: Readonly<Record<string, number>> | undefined
  readonly conversion: Conversion
  /** Valid range in the protocol's unit, and that unit. */
  readonly range: readonly [number, number]
  readonly unit: string
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const COMMA_NUMBER = /^[+-]?\d+(,\d+)+(\.\d+)?$/
/** Rounding of a unit conversion, relative to the range's width: a value this close to an end is the end. */
const CONVERSION_SLACK = 1e-9

/**
 * A cell as a number in the protocol's unit, or null when it holds no value.
 * @throws ROTA-3004 no number, 3011 unknown code, 3013 comma, 3005 out of range
 */
export function readCell(text: string, reader: CellReader, place: CellPlace): number | null {
  if (reader.missing.has(text)) return null
  const value = reader.codes === undefined ? reader.conversion.convert(numberIn(text, reader.decimal, place)) : codeIn(text, reader.codes, place)
  return inRange(value, reader, place)
}

function codeIn(text: string, codes: Readonly<Record<string, number>>, place: CellPlace): number {
  const value = Object.hasOwn(codes, text) ? codes[text] : undefined
  if (value === undefined) throw new RotaError('ROTA-3011', { ...place })
  return value
}

function numberIn(text: string, decimal: '.' | ',', place: CellPlace): number {
  if (decimal === '.' && COMMA_NUMBER.test(text)) throw new RotaError('ROTA-3013', { ...place })
  const plain = decimal === ',' && !text.includes('.') ? text.replace(',', '.') : text
  const value = decimal === ',' && text.includes('.') ? Number.NaN : Number(plain)
  if (!NUMBER.test(plain) || !Number.isFinite(value)) throw new RotaError('ROTA-3004', { ...place })
  return value
}

function inRange(value: number, reader: CellReader, place: CellPlace): number {
  const [low, high] = reader.range
  const slack = reader.conversion.changes ? CONVERSION_SLACK * (high - low) : 0
  if (value >= low && value <= high) return value
  if (value < low && value >= low - slack) return low
  if (value > high && value <= high + slack) return high
  throw new RotaError('ROTA-3005', { ...place, low, high, unit: reader.unit === '1' ? '(a pure number)' : reader.unit })
}
