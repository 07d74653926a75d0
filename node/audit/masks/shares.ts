/** One share of a secret: its bytes, then its place on the curve, which is never 0. */
export type Share = Uint8Array

/**
 * Shamir's scheme, put together a second time for the audit: the secret's bytes are where curves over GF(2^8) cross 0. Bytes are polynomials
 * modulo x^8 + x^4 + x^3 + x + 1. What is handled here is public by now, so nothing needs a constant time, and tables will do.
 * @param shares as many as the threshold, of different places
 * @returns null when they cannot be of one secret
 * @see Shamir 1979, Communications of the ACM 22(11)
 */
export const secretOf = (shares: readonly Share[]): Uint8Array | null => valueAt(shares, 0)

/** Whether another share lies on the curve that these shares, as many as the threshold, lay down. */
export function fits(shares: readonly Share[], other: Share): boolean {
  const there = valueAt(shares, placeOf(other))
  return there !== null && other.length === there.length + 1 && there.every((byte, i) => byte === other[i])
}

/** The curve's values at a place, by Lagrange's formula. */
function valueAt(shares: readonly Share[], place: number): Uint8Array | null {
  const length = (shares[0]?.length ?? 0) - 1
  const places = shares.map(placeOf)
  if (length < 1 || shares.some((share) => share.length !== length + 1) || places.includes(0) || new Set(places).size < places.length) return null
  const value = new Uint8Array(length)
  for (const [i, share] of shares.entries()) {
    const weight = weightOf(places, i, place)
    for (let k = 0; k < length; k++) value[k] = (value[k] as number) ^ multiply(weight, share[k] as number)
  }
  return value
}

const placeOf = (share: Share): number => share[share.length - 1] ?? 0

/** Π (place − x_j) / (x_i − x_j) over the others; in this field taking away is adding. */
function weightOf(places: readonly number[], i: number, place: number): number {
  const own = places[i] as number
  let weight = 1
  for (const [j, other] of places.entries()) if (j !== i) weight = multiply(weight, multiply(place ^ other, inverse(own ^ other)))
  return weight
}

/** By powers of 3, which make all 255 elements but 0. */
const POWERS = new Uint8Array(510)
const LOGS = new Uint8Array(256)
for (let i = 0, x = 1; i < 255; i++) {
  POWERS[i] = x
  POWERS[i + 255] = x
  LOGS[x] = i
  x ^= (x << 1) ^ (x & 0x80 ? 0x11b : 0)
}

const multiply = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : (POWERS[(LOGS[a] as number) + (LOGS[b] as number)] as number))

const inverse = (a: number): number => POWERS[255 - (LOGS[a] as number)] as number
