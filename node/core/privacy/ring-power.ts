import { Fourier } from './fourier.ts'

interface RingsOfPart {
  readonly steps: number
  /** Two real rings, transformed as one complex one. */
  readonly rings: readonly [Float64Array, Float64Array]
}

export interface RingPowers {
  readonly rings: readonly [Float64Array, Float64Array]
  /** Bound on the L2 norm of what rounding did to either ring. */
  readonly rounding: number
}

/** Each ring convolved with itself `steps` times, and with those of the other parts: a power of its Fourier transform. */
export function powerOfRings(parts: readonly RingsOfPart[], points: number): RingPowers {
  const fourier = new Fourier(points)
  const spectra: [Polar, Polar] = [polar(points), polar(points)]
  let rounding = 0
  for (const { steps, rings } of parts) {
    rounding += steps * (norm(rings[0]) + norm(rings[1]))
    fourier.forward(rings[0], rings[1])
    raise(spectra, rings, steps)
  }
  const rings = join(spectra, points)
  fourier.backward(rings[0], rings[1])
  return { rings, rounding: rounding * 8 * Math.log2(points) * Number.EPSILON }
}

/** Logarithm of the size, and the angle, of the first half of a real ring's spectrum; the second half mirrors it. */
interface Polar {
  readonly logSize: Float64Array
  readonly angle: Float64Array
}

const polar = (points: number): Polar => ({ logSize: new Float64Array(points / 2 + 1), angle: new Float64Array(points / 2 + 1) })

/** Takes the two real rings' spectra apart (X = (Z + Z̄)/2, Y = (Z − Z̄)/2i with Z̄ mirrored) and multiplies their powers in. */
function raise([x, y]: readonly [Polar, Polar], [real, imaginary]: readonly [Float64Array, Float64Array], steps: number): void {
  const points = real.length
  for (let k = 0; k <= points / 2; k++) {
    const mirror = (points - k) % points
    const a = real[k] as number
    const b = imaginary[k] as number
    const c = real[mirror] as number
    const d = imaginary[mirror] as number
    multiplyIn(x, k, (a + c) / 2, (b - d) / 2, steps)
    multiplyIn(y, k, (b + d) / 2, (c - a) / 2, steps)
  }
}

function multiplyIn({ logSize, angle }: Polar, k: number, real: number, imaginary: number, steps: number): void {
  logSize[k] = (logSize[k] as number) + (steps / 2) * Math.log(real * real + imaginary * imaginary)
  angle[k] = (angle[k] as number) + steps * Math.atan2(imaginary, real)
}

/** X + iY over all frequencies: one transform back gives both rings. */
function join([x, y]: readonly [Polar, Polar], points: number): readonly [Float64Array, Float64Array] {
  const real = new Float64Array(points)
  const imaginary = new Float64Array(points)
  for (let k = 0; k <= points / 2; k++) {
    const sizeX = Math.exp(x.logSize[k] as number)
    const sizeY = Math.exp(y.logSize[k] as number)
    const [a, b] = sizeX === 0 ? [0, 0] : [sizeX * Math.cos(x.angle[k] as number), sizeX * Math.sin(x.angle[k] as number)]
    const [c, d] = sizeY === 0 ? [0, 0] : [sizeY * Math.cos(y.angle[k] as number), sizeY * Math.sin(y.angle[k] as number)]
    const mirror = (points - k) % points
    real[k] = a - d
    imaginary[k] = b + c
    real[mirror] = a + d
    imaginary[mirror] = c - b
  }
  return [real, imaginary]
}

const norm = (ring: Float64Array): number => Math.sqrt(ring.reduce((sum, x) => sum + x * x, 0))
