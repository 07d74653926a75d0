/**
 * Fourier transforms in place, for lengths that are powers of two. Rounding errs by about 1e-16·log2(n) of the vector's L2 norm
 * (Higham, Accuracy and Stability of Numerical Algorithms, theorem 24.2), for which the twiddle factors come from Math.cos, not from products.
 */
export class Fourier {
  readonly length: number
  readonly #cos: Float64Array
  readonly #sin: Float64Array

  /** @param length a power of two */
  constructor(length: number) {
    this.length = length
    this.#cos = Float64Array.from({ length: length / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / length))
    this.#sin = Float64Array.from({ length: length / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / length))
  }

  /** X_k = Σ x_j e^(−2πijk/n). */
  forward(real: Float64Array, imaginary: Float64Array): void {
    reverseBits(real, imaginary)
    for (let half = 1; half < this.length; half *= 2) this.#butterflies(real, imaginary, half)
  }

  /** x_j = 1/n Σ X_k e^(2πijk/n): the forward transform with both parts exchanged, before and after. */
  backward(real: Float64Array, imaginary: Float64Array): void {
    this.forward(imaginary, real)
    for (let j = 0; j < this.length; j++) {
      real[j] = (real[j] as number) / this.length
      imaginary[j] = (imaginary[j] as number) / this.length
    }
  }

  /** Joins transforms of length `half` to transforms of twice that. Plain locals: this loop is most of the accountant's time. */
  #butterflies(real: Float64Array, imaginary: Float64Array, half: number): void {
    const cos = this.#cos
    const sin = this.#sin
    const stride = this.length / (2 * half)
    for (let start = 0; start < this.length; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const c = cos[k * stride] as number
        const s = sin[k * stride] as number
        const i = start + k
        const j = i + half
        const x = (real[j] as number) * c - (imaginary[j] as number) * s
        const y = (real[j] as number) * s + (imaginary[j] as number) * c
        real[j] = (real[i] as number) - x
        imaginary[j] = (imaginary[i] as number) - y
        real[i] = (real[i] as number) + x
        imaginary[i] = (imaginary[i] as number) + y
      }
    }
  }
}

function reverseBits(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length
  for (let i = 0, j = 0; i < n; i++) {
    if (i < j) {
      swap(real, i, j)
      swap(imaginary, i, j)
    }
    let bit = n >> 1
    for (; bit > 0 && (j & bit) !== 0; bit >>= 1) j ^= bit
    j |= bit
  }
}

function swap(values: Float64Array, i: number, j: number): void {
  const kept = values[i] as number
  values[i] = values[j] as number
  values[j] = kept
}
