import { outerModule } from './outer-module.ts'

/** Positions of one array of rows: where they start and how far apart they are, in numbers. */
export interface Steps {
  readonly at: number
  readonly row: number
  readonly column: number
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly tile: (...args: readonly number[]) => void
}

/** What of WebAssembly is used here; no library of types for machines without a browser has it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Exports }
}

const PAGE_BYTES = 65_536
/** What the inner loop may read beyond the last number. */
const SLACK = 8

export const roundUp = (length: number): number => (length + 3) & ~3

/**
 * Sums of outer products in float64, with its own memory, in which the caller lays out its numbers: `take` gives places, `numbers` shows them all.
 * About 3 · 10^9 products a second and core. Sums of float32 products are exact to 1e-16 of their size: what one patient changes is what its norm says.
 */
export class OuterProducts {
  readonly #exports: Exports
  #numbers: Float64Array
  #taken = 0

  constructor() {
    this.#exports = new WebAssembly.Instance(new WebAssembly.Module(outerModule())).exports
    this.#numbers = new Float64Array(this.#exports.memory.buffer)
  }

  /** To be asked for anew after `take`. */
  get numbers(): Float64Array {
    return this.#numbers
  }

  /** Forgets all that was taken. */
  clear(): void {
    this.#taken = 0
  }

  /** A place for so many numbers, filled with zeros. */
  take(length: number): number {
    const at = this.#taken
    this.#taken += roundUp(length)
    const lacking = 8 * (this.#taken + SLACK) - this.#exports.memory.buffer.byteLength
    if (lacking > 0) {
      this.#exports.memory.grow(Math.ceil(lacking / PAGE_BYTES))
      this.#numbers = new Float64Array(this.#exports.memory.buffer)
    }
    this.#numbers.fill(0, at, this.#taken + SLACK)
    return at
  }

  /**
   * g[k][j] += Σ x[…][k] · d[…][j] over rows × columns positions, for k below `height` and j below `width`.
   * `g` has roundUp(height) rows of roundUp(width) numbers; those beyond hold rubbish afterwards. `d` has roundUp(width) numbers at each position.
   */
  add(x: Steps, d: Steps, rows: number, columns: number, g: number, height: number, width: number): void {
    const { tile } = this.#exports
    const gRow = roundUp(width)
    for (let k = 0; k < height; k += 4) {
      for (let j = 0; j < width; j += 4)
        tile(8 * (x.at + k), 8 * x.row, 8 * x.column, 8 * (d.at + j), 8 * d.row, 8 * d.column, rows, columns, 8 * (g + k * gRow + j), 8 * gRow)
    }
  }
}
