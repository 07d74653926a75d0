import type { Share } from './share.ts'

/** Gradients that are kept between the two passes take at most so much; beyond it they are computed twice. */
const KEPT_BYTES = 64 << 20

/** A layer's part where each patient's gradient is formed. */
export class FormedShare implements Share {
  readonly size: number
  readonly #count: number
  readonly #gradientOf: (patient: number, into: Float64Array) => void
  readonly #kept: Float64Array | null

  /** @param gradientOf sets all of `into` */
  constructor(size: number, count: number, gradientOf: (patient: number, into: Float64Array) => void) {
    this.size = size
    this.#count = count
    this.#gradientOf = gradientOf
    this.#kept = 8 * size * count <= KEPT_BYTES ? new Float64Array(size * count) : null
  }

  addNorms(squares: Float64Array): void {
    const one = new Float64Array(this.#kept === null ? this.size : 0)
    for (let p = 0; p < this.#count; p++) {
      const gradient = this.#kept?.subarray(p * this.size, (p + 1) * this.size) ?? one
      this.#gradientOf(p, gradient)
      let sum = 0
      for (let i = 0; i < gradient.length; i++) sum += (gradient[i] as number) * (gradient[i] as number)
      squares[p] = (squares[p] as number) + sum
    }
  }

  addClipped(factors: Float64Array, into: Float64Array): void {
    const one = new Float64Array(this.#kept === null ? this.size : 0)
    for (let p = 0; p < this.#count; p++) {
      const factor = factors[p] as number
      if (factor === 0) continue
      const gradient = this.#kept?.subarray(p * this.size, (p + 1) * this.size) ?? one
      if (this.#kept === null) this.#gradientOf(p, gradient)
      for (let i = 0; i < gradient.length; i++) into[i] = (into[i] as number) + factor * (gradient[i] as number)
    }
  }
}
