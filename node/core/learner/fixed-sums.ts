import { powerOfTwo } from '../ring/powers.ts'

/** Adding 1.5 · 2^52 and taking it away rounds to the nearest integer, halves to even, for magnitudes below 2^51. */
const ROUNDER = 1.5 * powerOfTwo(52)
const EXACT = powerOfTwo(51)

export const roundHalfEven = (x: number): number => (x > -EXACT && x < EXACT ? x + ROUNDER - ROUNDER : x)

/** x as an integer of `fractionBits` fraction bits. @param x finite */
export const toFixedPoint = (x: number, fractionBits: number): bigint => BigInt(roundHalfEven(x * powerOfTwo(fractionBits)))

/**
 * Sums of row statistics, each rounded to fixed point before it is added, so that the order of rows does not matter and
 * the sum is exact. Rows are added up in float64 while that is exact (below 2^53), then moved to 64-bit integers.
 */
export class FixedSums {
  readonly scale: number
  /** Rounded row values are added to this by the caller's inner loop (see `add`), which is why it is open. */
  readonly partial: Float64Array
  readonly #total: BigInt64Array
  readonly #rowsBetween: number
  #rows = 0

  /** @param rowBound largest magnitude of one row's statistic; rowBound · 2^fractionBits < 2^51 */
  constructor(length: number, fractionBits: number, rowBound: number) {
    this.scale = powerOfTwo(fractionBits)
    this.partial = new Float64Array(length)
    this.#total = new BigInt64Array(length)
    this.#rowsBetween = Math.max(1, Math.floor(powerOfTwo(52) / (rowBound * this.scale)))
  }

  add(i: number, x: number): void {
    this.partial[i] = (this.partial[i] as number) + (x * this.scale + ROUNDER - ROUNDER)
  }

  /** To be called after each row. */
  endRow(): void {
    if (++this.#rows >= this.#rowsBetween) this.#move()
  }

  total(): BigInt64Array {
    this.#move()
    return this.#total
  }

  #move(): void {
    this.partial.forEach((x, i) => {
      if (x !== 0) this.#total[i] = (this.#total[i] as bigint) + BigInt(x)
    })
    this.partial.fill(0)
    this.#rows = 0
  }
}
