import { RotaError } from '#base/errors.ts'
import { powerOfTwo } from '#core/ring/powers.ts'
import { FixedSums } from '../fixed-sums.ts'
import { type GaussianNoise, stepsWithNoise, TAIL_DEVIATIONS } from './noise.ts'
import type { SharedNoise } from './shared-noise.ts'

/** All the noise that a sum needs, or a share of it. */
export type SumNoise = GaussianNoise | SharedNoise

/** Public choices of a private sum; none may be computed from rows. */
export interface PrivateSumPolicy {
  /** Deviation of the noise over the sensitivity: what an accountant calls the noise multiplier. */
  readonly noise: number
  /** Rows that a patient may count for; what a patient with more sends is scaled down. Each doubles the noise. */
  readonly rowsPerPatient: number
}

/**
 * A sum over patients that can be told. Each patient's vector (over all its rows) is scaled to L2 norm `sensitivity` or less and cut, towards zero, to whole
 * steps of 2^-fractionBits, so that its norm only falls: adding or taking away a patient moves the sum by `sensitivity` at most, exactly, since the sum is
 * one of integers. Noise is drawn for the same grid (see `GaussianNoise` on why that matters), once.
 */
export class PrivateSum {
  readonly sensitivity: number
  readonly #sums: FixedSums
  readonly #length: number
  readonly #fractionBits: number
  #released = false

  constructor(length: number, fractionBits: number, sensitivity: number) {
    this.sensitivity = sensitivity
    this.#sums = new FixedSums(length, fractionBits, sensitivity)
    this.#length = length
    this.#fractionBits = fractionBits
  }

  /** A vector with a number that is not finite counts as zero. */
  addPatient(vector: Float64Array): void {
    let square = 0
    for (const x of vector) square += x * x
    if (!Number.isFinite(square)) return
    const scale = square > this.sensitivity * this.sensitivity ? this.sensitivity / Math.sqrt(square) : 1
    const steps = powerOfTwo(this.#fractionBits)
    // A trillionth less: the scaled norm is rounded, the bound is not.
    const factor = scale < 1 ? scale * (1 - 1e-12) : 1
    for (let i = 0; i < vector.length; i++) this.#sums.add(i, Math.trunc((vector[i] as number) * factor * steps) / steps)
    this.#sums.endRow()
  }

  /** The sum with noise, in steps. Once: two releases of one sum would average their noise away. */
  release({ noise: multiplier }: PrivateSumPolicy, noise: SumNoise): BigInt64Array {
    if (this.#released) throw new TypeError('this sum was released before')
    this.#released = true
    const deviation = multiplier * this.sensitivity
    const perStep = powerOfTwo(this.#fractionBits)
    const total = this.#sums.total()
    const draw = (): bigint => ('share' in noise ? noise.share(deviation * perStep) : BigInt(stepsWithNoise(0, deviation, perStep, noise)))
    for (let i = 0; i < this.#length; i++) total[i] = (total[i] as bigint) + draw()
    return total
  }
}

export interface RingRoom {
  readonly sites: number
  readonly maxRows: number
  readonly sensitivity: number
  readonly fractionBits: number
  readonly wordBits: 32 | 64
}

/** Largest magnitude of a site's coordinate, noise included: the bound for a layout. */
export const noisyBound = ({ maxRows, sensitivity }: Pick<RingRoom, 'maxRows' | 'sensitivity'>, multiplier: number): number =>
  (maxRows + TAIL_DEVIATIONS * multiplier) * sensitivity

/**
 * Asked when a study is made: sums of private vectors must stay within their words.
 * @throws ROTA-2384 for noise or rows a patient out of range, ROTA-2385 when the sum could overflow
 */
export function checkNoiseFits(room: RingRoom, { noise, rowsPerPatient }: PrivateSumPolicy): void {
  if (!(noise >= LEAST_NOISE && noise <= MOST_NOISE))
    throw new RotaError('ROTA-2384', { parameter: 'noise', value: noise, expected: `a number from ${LEAST_NOISE} to ${MOST_NOISE}` })
  if (!Number.isInteger(rowsPerPatient) || rowsPerPatient < 1 || rowsPerPatient > MOST_ROWS)
    throw new RotaError('ROTA-2384', { parameter: 'rowsPerPatient', value: rowsPerPatient, expected: `a whole number from 1 to ${MOST_ROWS}` })
  const { sites, maxRows, sensitivity, fractionBits, wordBits } = room
  const scale = powerOfTwo(fractionBits)
  const exact = Math.max(sensitivity, TAIL_DEVIATIONS * noise * sensitivity) * scale < powerOfTwo(51)
  if (!exact || sites * noisyBound(room, noise) * scale >= powerOfTwo(wordBits - 1))
    throw new RotaError('ROTA-2385', { sites, rows: maxRows, noise, coordinate: 'a noisy sum', wordBits })
}

const [LEAST_NOISE, MOST_NOISE, MOST_ROWS] = [0.01, 1e6, 10_000]
