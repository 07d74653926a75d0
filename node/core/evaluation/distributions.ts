/**
 * Tail probabilities for reports, accurate to about 1e-14 relative. Shown to people and never digested, so Math is used freely.
 * @see Press et al., Numerical Recipes, 3rd edition, sections 6.2 and 6.4 (the series and continued fractions)
 */

const TINY = 1e-300
const ENOUGH = 1e-16

/** P(|Z| ≥ |z|) for a standard normal Z. */
export const normalTwoSided = (z: number): number => complementaryGamma(0.5, (z * z) / 2)

/** P(|T| ≥ |t|) for Student's t with `df` > 0 degrees of freedom: the regularised incomplete beta function I_x(df/2, 1/2) at x = df / (df + t²). */
export function studentTwoSided(t: number, df: number): number {
  if (!Number.isFinite(t)) return 0
  if (t === 0) return 1
  // The fraction needs about √df steps; from ten million on this is right to 1e-13 (Abramowitz and Stegun 26.7.8).
  if (df > 1e7) return normalTwoSided((t * (1 - 1 / (4 * df))) / Math.sqrt(1 + (t * t) / (2 * df)))
  const a = df / 2
  const x = df / (df + t * t)
  const y = (t * t) / (df + t * t)
  const front = Math.exp(logGammaStep(a) - Math.log(Math.PI) / 2 - a * Math.log1p((t * t) / df) + Math.log(y) / 2)
  return x < (a + 1) / (a + 2.5) ? (front * betaFraction(a, 0.5, x)) / a : 1 - 2 * front * betaFraction(0.5, a, y)
}

/** Regularised incomplete beta function I_x(a, b), a and b > 0, x from 0 to 1. */
export function regularisedBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(a, b, x)) / a : 1 - (front * betaFraction(b, a, 1 - x)) / b
}

/** ln Γ(a + ½) − ln Γ(a): by its own series for large a, where the difference of two large numbers would lose digits. */
function logGammaStep(a: number): number {
  if (a < 30) return logGamma(a + 0.5) - logGamma(a)
  const square = 1 / (a * a)
  return Math.log(a) / 2 - (1 / 8 - square * (1 / 192 - square * (1 / 640 - (square * 17) / 14336))) / a
}

/** z with P(|Z| ≥ z) = 0.05. */
export const NORMAL_95 = 1.959963984540054

/** t with P(|T| ≥ t) = tail, by bisection to the last bits. */
export function studentQuantile(tail: number, df: number): number {
  let low = 0
  let high = 1
  while (studentTwoSided(high, df) > tail && high < 1e300) high *= 2
  for (let step = 0; step < 200 && high - low > 1e-15 * high; step++) {
    const middle = (low + high) / 2
    if (studentTwoSided(middle, df) > tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** ln Γ(x), x > 0: Stirling's series after moving x above 15. */
export function logGamma(x: number): number {
  let product = 1
  let z = x
  for (; z < 15; z++) product *= z
  const square = 1 / (z * z)
  const tail = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188 - square * (691 / 360360)))))) / z
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + tail - Math.log(product)
}

/** Regularised upper incomplete gamma function Q(a, x). */
function complementaryGamma(a: number, x: number): number {
  if (x <= 0) return 1
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  return x < a + 1 ? 1 - front * gammaSeries(a, x) : front * gammaFraction(a, x)
}

function gammaSeries(a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let n = 1; n < 1000 && Math.abs(term) > Math.abs(sum) * ENOUGH; n++) {
    term *= x / (a + n)
    sum += term
  }
  return sum
}

/** Lentz's method. */
function gammaFraction(a: number, x: number): number {
  let b = x + 1 - a
  let c = 1 / TINY
  let d = 1 / b
  let h = d
  for (let n = 1; n < 10000; n++) {
    const an = -n * (n - a)
    b += 2
    d = 1 / nonZero(an * d + b)
    c = nonZero(b + an / c)
    const delta = d * c
    h *= delta
    if (Math.abs(delta - 1) < ENOUGH) break
  }
  return h
}

/** Continued fraction of the incomplete beta function, by Lentz's method. */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m < 10000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d)
    c = nonZero(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d)
    c = nonZero(1 + odd / c)
    const delta = d * c
    h *= delta
    if (Math.abs(delta - 1) < ENOUGH) break
  }
  return h
}

const nonZero = (x: number): number => (Math.abs(x) < TINY ? TINY : x)
