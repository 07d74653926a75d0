import { powerOfTwo } from '../ring/powers.ts'

/**
 * exp, log and what is made of them, of + − × ÷ and comparisons alone: the same bits on every machine and in every version of
 * the engine, where Math.exp and Math.log may differ in the last place. Relative error about 2^-52.
 */

const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const LN2 = LN2_HIGH + LN2_LOW

const INVERSE_FACTORIALS: number[] = [1]
for (let n = 1; n <= 14; n++) INVERSE_FACTORIALS.push((INVERSE_FACTORIALS[n - 1] as number) / n)

/** e^x; the exponent is limited to [-708, 709], so the result is always a normal, finite number. */
export function exp(x: number): number {
  const limited = x > 709 ? 709 : x < -708 ? -708 : x
  const k = Math.floor(limited / LN2 + 0.5)
  const r = limited - k * LN2_HIGH - k * LN2_LOW
  let sum = 0
  for (let n = 14; n >= 1; n--) sum = (sum + (INVERSE_FACTORIALS[n] as number)) * r
  return (1 + sum) * powerOfTwo(k)
}

/** ln x for normal x > 0; callers pass nothing else. */
export function log(x: number): number {
  let mantissa = x
  let exponent = 0
  for (let shift = 512; shift >= 1; shift /= 2) {
    const power = powerOfTwo(shift)
    if (mantissa >= power) {
      mantissa /= power
      exponent += shift
    } else if (mantissa * power < 2) {
      mantissa *= power
      exponent -= shift
    }
  }
  if (mantissa > Math.SQRT2) {
    mantissa /= 2
    exponent++
  }
  // ln m = 2 artanh((m − 1) / (m + 1)), |f| ≤ 0.1716
  const f = (mantissa - 1) / (mantissa + 1)
  const square = f * f
  let series = 0
  for (let n = 23; n >= 3; n -= 2) series = (series + 1 / n) * square
  return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * f * (1 + series))
}

/** 1 / (1 + e^-x) */
export function sigmoid(x: number): number {
  const e = exp(x < 0 ? x : -x)
  return x < 0 ? e / (1 + e) : 1 / (1 + e)
}

/** ln(1 + e^x), absolute error about 2^-52. */
export const softplus = (x: number): number => (x > 0 ? x : 0) + log(1 + exp(x > 0 ? -x : x))

export function tanh(x: number): number {
  const e = exp(-2 * (x < 0 ? -x : x))
  const t = (1 - e) / (1 + e)
  return x < 0 ? -t : t
}

/** ln y! for y ≥ 0 by Stirling's series from 16 on. */
export function logFactorial(y: number): number {
  let product = 1
  let z = y + 1
  for (; z < 16; z++) product *= z
  const inverse = 1 / z
  const square = inverse * inverse
  const tail = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
  return (z - 0.5) * log(z) - z + 0.9189385332046728 + tail - log(product)
}
