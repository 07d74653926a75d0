import type { RandomSource } from '#core/ring/to-ring.ts'
import { roundHalfEven } from '../fixed-sums.ts'

/**
 * Gaussian noise in whole steps of a grid, from cryptographic random bytes: by the ziggurat with 256 layers, eight bytes a draw, one in a hundred needs more.
 *
 * What makes textbook samplers of float noise unsafe, and what is done about it here:
 * - The low bits of `x + noise` in floating point tell x, since only some floats can be reached from each x (Mironov 2012). Here callers round x to a grid and
 *   add noise that is a whole number of its steps; integers add exactly, so every x reaches every point, and what is released is what would come of an
 *   exact Gaussian rounded afterwards.
 * - A float of 53 bits hits the cells of a fine grid unevenly, by a part in a million for steps of 2^-30 deviations. `rounded` draws more bits where the cell
 *   is in doubt and decides with twice the precision: the place within a layer counts as a real number.
 * - 32 random bits cut the tail at 6.7 deviations. Here the tail beyond the lowest layer is drawn in slabs that never end.
 * - A generator that is not cryptographic gives noise away to who sees enough of it: only `random` feeds this.
 * Left: layers and exponentials are float64, so each point has its probability to a relative 1e-12 out to 6 deviations. The time of a draw depends on it
 * (Jin et al. 2021): noise is drawn for whole vectors, and no message leaves in between.
 * @see Marsaglia and Tsang 2000; Mironov 2012, "On significance of the least significant bits"; Holohan and Braghin 2021, arXiv:2107.10301;
 *   Jin et al. 2021, arXiv:2112.05307
 */
export class GaussianNoise {
  readonly #random: RandomSource
  #words: Uint32Array = new Uint32Array(0)
  #at = 0
  /** Base, place, width of the last draw: |draw| is base + (place + v) · width, v in [0, 1) not drawn yet. An array, since fields would be boxed. */
  readonly #last = new Float64Array(3)

  constructor(random: RandomSource) {
    this.#random = random
  }

  /** One draw with deviation `scale`, rounded to an integer. @param scale below 2^47 */
  rounded(scale: number): number {
    const x = this.next() * scale
    const n = roundHalfEven(x)
    const doubt = (Math.abs(x) + 4 * scale) * DOUBT
    return Math.abs(x - n) < 0.5 - doubt ? n : this.#decided(x, scale)
  }

  /** One draw with deviation 1, in float64: for what is not released. */
  next(): number {
    for (;;) {
      const low = this.#word()
      const layer = low & 255
      const place = 0x200000 * this.#word() + (low >>> 11)
      const x = place * (WIDTHS[layer] as number)
      this.#note(0, place, WIDTHS[layer] as number)
      const drawn = x < (EDGES[layer + 1] as number) ? x : this.#beyond(layer, x)
      if (drawn >= 0) return drawn * (1 - ((low >>> 7) & 2))
    }
  }

  /** Negative: to be drawn again. */
  #beyond(layer: number, x: number): number {
    if (layer === 0) return this.#tail()
    const below = HEIGHTS[layer] as number
    return below + this.#uniform() * ((HEIGHTS[layer + 1] as number) - below) < density(x) ? x : -1
  }

  /** Slab k with probability ∝ e^(-R·k·SLAB), a place in it, and the rest of the density at R + beyond by rejection. */
  #tail(): number {
    for (;;) {
      let slab = 0
      while (this.#uniform() < ONE_SLAB_ON) slab++
      const place = this.#bits53()
      const within = place * SLAB * TINY
      const beyond = slab * SLAB + within
      if (this.#uniform() >= Math.exp(-LAST_EDGE * within - (beyond * beyond) / 2)) continue
      this.#note(LAST_EDGE + slab * SLAB, place, SLAB * TINY)
      return LAST_EDGE + slab * SLAB + within
    }
  }

  #note(base: number, place: number, width: number): void {
    this.#last[0] = base
    this.#last[1] = place
    this.#last[2] = width
  }

  /** Rounds the last draw, which lies near the middle between two integers, with 53 more bits and products in two floats. */
  #decided(x: number, scale: number): number {
    const size = Math.abs(x)
    const below = roundHalfEven(size - 0.5)
    const [from, place, unit] = this.#last as unknown as readonly [number, number, number]
    const width = unit * scale
    const [base, baseRest] = product(from, scale)
    const [within, withinRest] = product(place, width)
    const sum = base + within
    const lost = base > within ? within - (sum - base) : base - (sum - within)
    const rest = lost + baseRest + withinRest + this.#bits53() * TINY * width
    const n = sum - (below + 0.5) + rest >= 0 ? below + 1 : below
    return x < 0 ? -n : n
  }

  #uniform(): number {
    return this.#bits53() * TINY
  }

  #bits53(): number {
    return 0x200000 * this.#word() + (this.#word() >>> 11)
  }

  #word(): number {
    if (this.#at === this.#words.length) this.#refill()
    return this.#words[this.#at++] as number
  }

  #refill(): void {
    const bytes = this.#random.bytes(PIECE_BYTES)
    this.#words = bytes.byteOffset % 4 === 0 ? new Uint32Array(bytes.buffer, bytes.byteOffset, PIECE_BYTES / 4) : new Uint32Array(bytes.slice().buffer)
    this.#at = 0
  }
}

/** Draws are cut to so many deviations, which a bound for the ring can count on; they get there with probability 1e-32. */
export const TAIL_DEVIATIONS = 12

/**
 * `value` plus noise, in whole steps of a grid: both are rounded to it, and their sum is exact.
 * @param value below 2^51 steps
 * @returns the number of steps
 */
export function stepsWithNoise(value: number, deviation: number, perStep: number, noise: GaussianNoise): number {
  const scale = deviation * perStep
  const drawn = noise.rounded(scale)
  const most = Math.floor(TAIL_DEVIATIONS * scale)
  return roundHalfEven(value * perStep) + (drawn > most ? most : drawn < -most ? -most : drawn)
}

/** a · b as a float and what it lacks. @see Dekker 1971 */
function product(a: number, b: number): readonly [number, number] {
  const [c, d] = [a * SPLITTER, b * SPLITTER]
  const [aHigh, bHigh] = [c - (c - a), d - (d - b)]
  const [aLow, bLow] = [a - aHigh, b - bHigh]
  const whole = a * b
  return [whole, aLow * bLow - (whole - aHigh * bHigh - aLow * bHigh - aHigh * bLow)]
}

const TINY = 1 / 0x20000000000000
const SPLITTER = 0x8000001
/** Of a scaled draw, relative: more than floats may have lost, and the width of a place. */
const DOUBT = 2 ** -48
/** A small request to the system's generator costs as much as a large one. */
const PIECE_BYTES = 1 << 16
const LAYERS = 256
const LAST_EDGE = 3.6541528853610088
/** Of each layer; the lowest counts its tail. */
const AREA = 4.928673233974655e-3
const SLAB = 0.25
const ONE_SLAB_ON = Math.exp(-LAST_EDGE * SLAB)

const density = (x: number): number => Math.exp((-x * x) / 2)
/** Right edges of the layers from the lowest to the highest, and the density there. */
const EDGES = new Float64Array(LAYERS + 1)
const HEIGHTS = new Float64Array(LAYERS + 1)
/** Of one of 2^53 places in a layer. */
const WIDTHS = new Float64Array(LAYERS)
EDGES[0] = AREA / density(LAST_EDGE)
EDGES[1] = LAST_EDGE
for (let i = 2; i < LAYERS; i++) EDGES[i] = Math.sqrt(-2 * Math.log(AREA / (EDGES[i - 1] as number) + density(EDGES[i - 1] as number)))
for (let i = 0; i <= LAYERS; i++) HEIGHTS[i] = density(EDGES[i] as number)
for (let i = 0; i < LAYERS; i++) WIDTHS[i] = (EDGES[i] as number) * TINY
