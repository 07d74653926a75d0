import type { RandomSource } from '#core/ring/to-ring.ts'
import { TAIL_DEVIATIONS } from './noise.ts'

/**
 * A site's share of noise that a sum gets from several sites together: discrete Gaussian, whole steps of the grid, drawn exactly. All arithmetic is of whole
 * numbers; no float decides anything, so there is nothing for its rounding to tell. A draw takes some 10 µs: for sums, not for networks.
 *
 * The share is sized so that `shares` of them make the deviation that is asked for: as many as are in the sum for sure, the smallest set that may survive less
 * those who may collude and take their own off again. With more of them in the sum there is more noise than was promised.
 * @see Canonne, Kamath, Steinke 2020, arXiv:2004.00010, algorithms 1 to 3; core/privacy/discrete-gaussian.ts for what it costs
 */
export class SharedNoise {
  readonly shares: number
  readonly #random: RandomSource
  #words = new BigUint64Array(0)
  #at = 0

  constructor(random: RandomSource, shares: number) {
    this.#random = random
    this.shares = shares
  }

  /** One share, in steps. @param deviation of the noise that all shares make, in steps */
  share(deviation: number): bigint {
    const size = shareSize(deviation, this.shares)
    const most = BigInt(TAIL_DEVIATIONS) * size
    const drawn = this.#gaussian(size)
    return drawn > most ? most : drawn < -most ? -most : drawn
  }

  /** Deviation `size`: a discrete Laplace variable, kept with the probability that makes it Gaussian. */
  #gaussian(size: bigint): bigint {
    const scale = size + 1n
    const square = size * size
    for (;;) {
      const drawn = this.#laplace(scale)
      const off = (drawn < 0n ? -drawn : drawn) * scale - square
      if (this.#decays(off * off, 2n * square * scale * scale)) return drawn
    }
  }

  /** x with probability proportional to e^(−|x| / scale). */
  #laplace(scale: bigint): bigint {
    for (;;) {
      const within = this.#below(scale)
      if (!this.#decays(within, scale)) continue
      let slabs = 0n
      while (this.#decays(1n, 1n)) slabs++
      const size = within + scale * slabs
      const isNegative = this.#below(2n) === 1n
      if (!(isNegative && size === 0n)) return isNegative ? -size : size
    }
  }

  /** True with probability e^(−a / b). */
  #decays(a: bigint, b: bigint): boolean {
    for (let whole = a / b; whole > 0n; whole--) if (!this.#decaysWithinOne(1n, 1n)) return false
    return this.#decaysWithinOne(a % b, b)
  }

  /** For a ≤ b: so often it goes on with a/b, a/2b, a/3b, …; an even number of times with probability e^(−a/b). */
  #decaysWithinOne(a: bigint, b: bigint): boolean {
    let times = 1n
    while (this.#below(b * times) < a) times++
    return times % 2n === 1n
  }

  /** Uniform below `end`. */
  #below(end: bigint): bigint {
    const bits = bitLength(end - 1n)
    const spare = BigInt(64 * Math.ceil(bits / 64) - bits)
    for (;;) {
      let value = 0n
      for (let got = 0; got < bits; got += 64) value = (value << 64n) | this.#word()
      if (value >> spare < end) return value >> spare
    }
  }

  #word(): bigint {
    if (this.#at === this.#words.length) {
      this.#words = new BigUint64Array(this.#random.bytes(PIECE_BYTES).slice().buffer)
      this.#at = 0
    }
    return this.#words[this.#at++] as bigint
  }
}

/** A small request to the system's generator costs as much as a large one. */
const PIECE_BYTES = 1 << 13

/** Of 0 too is 1. */
function bitLength(x: bigint): number {
  const hex = x.toString(16)
  return 4 * hex.length - Math.max(0, Math.clz32(Number.parseInt(hex[0] as string, 16)) - 28) || 1
}

/** Rounded up to whole steps. */
export const shareSize = (deviation: number, shares: number): bigint => BigInt(Math.ceil((deviation / Math.sqrt(shares)) * (1 + 1e-12)))

/** Below so many steps a sum of shares is no longer Gaussian to within what the chain's counts are rounded up by. */
export const LEAST_SHARE = 8n
