/** e^(x²)·erfc(x): the tail of a Gaussian without the factor that underflows. Relative error about 1e-15; x ≥ 0. */
export function scaledErfc(x: number): number {
  return x < 1 ? Math.exp(x * x) - erfSeries(x) : fraction(x)
}

/** erfc(x) for any x. */
export const erfc = (x: number): number => (x < 0 ? 2 - erfc(-x) : scaledErfc(x) * Math.exp(-x * x))

/** e^(x²)·erf(x) = 2/√π Σ 2^n x^(2n+1) / (1·3·…·(2n+1)) (Abramowitz, Stegun 7.1.6) */
function erfSeries(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; term > sum * 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

/** The continued fraction 1/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))) (7.1.14), from a depth at which the rest is below the last bit. */
function fraction(x: number): number {
  let tail = x
  for (let n = Math.ceil(20 + 300 / (x * x)); n >= 1; n--) tail = x + n / 2 / tail
  return 1 / (Math.sqrt(Math.PI) * tail)
}

/** ln(½·erfc(x/√2)): the logarithm of a standard Gaussian's upper tail, for any x. */
export function logHalfErfc(x: number): number {
  const scaled = x / Math.SQRT2
  return scaled < 0 ? Math.log1p(-erfc(-scaled) / 2) : Math.log(scaledErfc(scaled) / 2) - scaled * scaled
}
