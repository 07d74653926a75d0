/**
 * Sums of ring vectors, written a second time for the audit: whole vectors, word by word, little-endian, modulo 2^32 or 2^64.
 * The bytes of one length hold whole words; `null` when they do not, or differ in length: such vectors have no sum.
 */
export function sumOf(vectors: readonly Uint8Array[], wordBits: 32 | 64): Uint8Array | null {
  const [first, ...others] = vectors
  if (first === undefined || first.length % (wordBits / 8) !== 0) return null
  const sum = Uint8Array.from(first)
  for (const vector of others) {
    if (vector.length !== sum.length) return null
    addTo(sum, vector, wordBits, 1)
  }
  return sum
}

/** What is left of a sum when the others are taken away: the one vector that could not be read. */
export function remainderOf(sum: Uint8Array, others: readonly Uint8Array[], wordBits: 32 | 64): Uint8Array | null {
  if (sum.length % (wordBits / 8) !== 0) return null
  const rest = Uint8Array.from(sum)
  for (const vector of others) {
    if (vector.length !== rest.length) return null
    addTo(rest, vector, wordBits, -1)
  }
  return rest
}

/** Adds or takes away; `setBigUint64` and `setUint32` keep the lowest bits: that is the modulus. */
export function addTo(into: Uint8Array, from: Uint8Array, wordBits: 32 | 64, sign: 1 | -1): void {
  const to = new DataView(into.buffer, into.byteOffset, into.length)
  const by = new DataView(from.buffer, from.byteOffset, from.length)
  const factor = BigInt(sign)
  if (wordBits === 64) for (let at = 0; at < into.length; at += 8) to.setBigUint64(at, to.getBigUint64(at, true) + factor * by.getBigUint64(at, true), true)
  else for (let at = 0; at < into.length; at += 4) to.setUint32(at, to.getUint32(at, true) + sign * by.getUint32(at, true), true)
}
