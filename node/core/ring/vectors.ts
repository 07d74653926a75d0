/**
 * The types fix the order: LocalUpdate → BoundedUpdate → RingVector → (MaskedVector) → committed bytes.
 * Each function takes what the one before returned; a wrong order does not compile.
 */
declare const step: unique symbol

/** A run of coordinates that share scale and bound. */
export interface VectorBlock {
  readonly name: string
  readonly length: number
  /** Fixed-point fraction bits. Counts have 0. */
  readonly fractionBits: number
  /** Largest magnitude that one site's coordinate may have, as a real number. */
  readonly bound: number
  /** Names of the coordinates, for errors; else their places. */
  readonly columns?: readonly string[]
}

/** What the layout of a stage's vector is; follows from protocol and stage alone, so every site knows it. */
export interface VectorLayout {
  /** One word size in all stages of a study, since the chain knows one a study. */
  readonly wordBits: 32 | 64
  /**
   * Words to a coordinate: 4 where an exact 64-bit coordinate travels in 32-bit words, 16 bits in each, so that the sums of up to
   * 65,536 sites carry nothing over (the exact stages of neural studies).
   */
  readonly limbs: 1 | 4
  /** Coordinates after the salt words: [n, values…]. */
  readonly length: number
  readonly blocks: readonly VectorBlock[]
  readonly fractionBits: (i: number) => number
  readonly bound: (i: number) => number
  readonly name: (i: number) => string
}

/** Exact: integers already, each row's statistic rounded before it was added. */
export interface ExactUpdate {
  readonly [step]?: 'local'
  readonly kind: 'exact'
  readonly layout: VectorLayout
  readonly coordinates: BigInt64Array
}

/** Weights after − before. In the sum stands delta × rows / maxRows, see `NeuralLayout` in learner/neural.ts. */
export interface NeuralUpdate {
  readonly [step]?: 'local'
  readonly kind: 'neural'
  readonly layout: VectorLayout
  readonly rows: number
  /** rows / maxRows, in (0, 1]: this site's weight inside the sum. */
  readonly weight: number
  readonly delta: Float32Array
  readonly normBound: number
}

/** What a learner made of a cohort. */
export type LocalUpdate = ExactUpdate | NeuralUpdate

/** Range-checked (exact, never scaled) or scaled to the norm (neural: `scale` is applied where it is rounded, which saves a copy). */
export type BoundedUpdate = LocalUpdate & { readonly bounded: true; readonly scale: number }

/** Little-endian words of Z_2^32 or Z_2^64: 32 bytes of salt, then the layout's coordinates in two's complement. */
export interface RingVector {
  readonly ring: true
  readonly wordBits: 32 | 64
  readonly bytes: Uint8Array
}

/** The sum of some sites' ring vectors, decoded by the stage's layout: reals, salt left out. Decoded on demand: a sum may be 40 MB. */
export interface SumValues {
  readonly sites: number
  readonly length: number
  /** Coordinate i, 0 ≤ i < length. */
  readonly at: (i: number) => number
  /**
   * Where each coordinate is one signed 32-bit word: the words. Ten million calls of `at` take a tenth of a second and leave a number each for the collector;
   * a loop over these takes a tenth of that, for the same numbers: coordinate i is words[i] × 2^-fractionBits.
   */
  readonly words?: Int32Array
}
