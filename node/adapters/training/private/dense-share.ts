import type { OuterProducts } from './outer-products.ts'
import { roundUp } from './outer-products.ts'
import type { Share } from './share.ts'

/**
 * A dense layer's part of each patient's gradient, from what the layer saw, without forming it.
 *
 * A row r gives the kernel the gradient a_r b_rᵀ (a: the layer's input, b: the loss's derivative by its output) and the bias b_r. A patient's gradient is the
 * sum over all its rows, so with ⟨·,·⟩ the Frobenius product, ⟨a b ᵀ, c dᵀ⟩ = trace(b aᵀ c dᵀ) = (a·c)(b·d) and
 *
 *   ‖Σ_r a_r b_rᵀ‖² + ‖Σ_r b_r‖² = Σ_{r,s} (a_r·a_s)(b_r·b_s) + Σ_{r,s} b_r·b_s = Σ_{r,s} (a_r·a_s + 1)(b_r·b_s)
 *
 * over all pairs of the patient's rows: two Gram matrices, multiplied entry by entry. The sum of ‖a_r‖²‖b_r‖² alone would leave out r ≠ s, and a patient whose
 * rows pull the same way would be clipped to more than the bound. Where a layer works on many positions of a row (sequences), each counts as a row. For
 * more than a few rows the gradient itself is cheaper than all pairs, and is formed.
 * @see Goodfellow 2015, arXiv:1510.01799 (one row); Li et al. 2022, arXiv:2110.05679; Bu et al. 2022, arXiv:2205.10683
 */
export class DenseShare implements Share {
  readonly size: number
  readonly #products: OuterProducts
  /** First position of each patient, and the end. */
  readonly #bounds: Uint32Array
  readonly #a: Float32Array
  readonly #b: Float32Array
  readonly #inputs: number
  readonly #units: number
  readonly #useBias: boolean

  /** @param bounds first row of each patient in the batch, and the end @param a, b rows of all positions, inputs and units wide */
  constructor(products: OuterProducts, bounds: Uint32Array, a: Float32Array, b: Float32Array, inputs: number, units: number, useBias: boolean) {
    const rows = bounds.at(-1) as number
    const positions = b.length / units / rows
    this.#products = products
    this.#bounds = bounds.map((row) => row * positions)
    this.#a = a
    this.#b = b
    this.#inputs = inputs
    this.#units = units
    this.#useBias = useBias
    this.size = inputs * units + (useBias ? units : 0)
  }

  addNorms(squares: Float64Array): void {
    for (let p = 0; p < squares.length; p++) {
      const [from, to] = [this.#bounds[p] as number, this.#bounds[p + 1] as number]
      const pairs = ((to - from) * (to - from + 1)) / 2
      const isFewer = pairs * (this.#inputs + this.#units) <= (to - from) * this.#inputs * this.#units
      squares[p] = (squares[p] as number) + (isFewer || to - from === 1 ? this.#byPairs(from, to) : this.#byGradient(from, to))
    }
  }

  #byPairs(from: number, to: number): number {
    const bias = this.#useBias ? 1 : 0
    let sum = 0
    for (let r = from; r < to; r++) {
      sum += (dot(this.#a, r, r, this.#inputs) + bias) * dot(this.#b, r, r, this.#units)
      for (let s = r + 1; s < to; s++) sum += 2 * (dot(this.#a, r, s, this.#inputs) + bias) * dot(this.#b, r, s, this.#units)
    }
    return sum
  }

  #byGradient(from: number, to: number): number {
    const gradient = new Float64Array(this.size)
    this.#addGradient(from, to, () => 1, gradient)
    return gradient.reduce((sum, x) => sum + x * x, 0)
  }

  addClipped(factors: Float64Array, into: Float64Array): void {
    let p = 0
    this.#addGradient(
      0,
      this.#bounds.at(-1) as number,
      (r) => {
        while (r >= (this.#bounds[p + 1] as number)) p++
        return factors[p] as number
      },
      into,
    )
  }

  /** Σ factor · a bᵀ over positions; a factor of 0 leaves the position out, were its numbers infinite. */
  #addGradient(from: number, to: number, factorOf: (position: number) => number, into: Float64Array): void {
    const [products, inputs, units, wide] = [this.#products, this.#inputs, this.#units, roundUp(this.#units)]
    products.clear()
    const [a, b, g] = [products.take((to - from) * inputs), products.take((to - from) * wide), products.take(roundUp(inputs) * wide)]
    const { numbers } = products
    for (let r = from; r < to; r++) {
      const factor = factorOf(r)
      if (factor === 0) continue
      numbers.set(this.#a.subarray(r * inputs, (r + 1) * inputs), a + (r - from) * inputs)
      for (let j = 0; j < units; j++) {
        const scaled = factor * (this.#b[r * units + j] as number)
        numbers[b + (r - from) * wide + j] = scaled
        if (this.#useBias) into[inputs * units + j] = (into[inputs * units + j] as number) + scaled
      }
    }
    products.add({ at: a, row: 0, column: inputs }, { at: b, row: 0, column: wide }, 1, to - from, g, inputs, units)
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < units; j++) into[i * units + j] = (into[i * units + j] as number) + (numbers[g + i * wide + j] as number)
  }
}

function dot(values: Float32Array, r: number, s: number, width: number): number {
  let sum = 0
  for (let i = r * width, j = s * width; i < (r + 1) * width; i++, j++) sum += (values[i] as number) * (values[j] as number)
  return sum
}
