import { sha256 } from '#app/sha256.ts'
import type { Digest } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'

/** Adds vectors modulo 2^32 or 2^64, word by word, on a little-endian machine: on purpose not with the code that the nodes add with. */
export function trueSum(
  roots: readonly Digest[],
  vectors: ReadonlyMap<Digest, Uint8Array>,
  wordBits: 32 | 64,
): { readonly root: Digest } | { readonly missing: Digest } {
  const parts: Uint8Array[] = []
  for (const root of roots) {
    const vector = vectors.get(root)
    if (vector === undefined) return { missing: root }
    parts.push(vector)
  }
  const lengthBytes = parts[0]?.length ?? 0
  const sum = wordBits === 32 ? addWords(parts, lengthBytes) : addLongWords(parts, lengthBytes)
  return { root: merkleRoot(new Uint8Array(sum.buffer, 0, lengthBytes), sha256) }
}

function addWords(parts: readonly Uint8Array[], lengthBytes: number): Uint32Array {
  const sum = new Uint32Array(Math.ceil(lengthBytes / 4))
  for (const part of parts) {
    const words = new Uint32Array(whole(part, sum.byteLength))
    // An element wraps by itself.
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (words[i] as number)
  }
  return sum
}

function addLongWords(parts: readonly Uint8Array[], lengthBytes: number): BigUint64Array {
  const sum = new BigUint64Array(Math.ceil(lengthBytes / 8))
  for (const part of parts) {
    const words = new BigUint64Array(whole(part, sum.byteLength))
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as bigint) + (words[i] as bigint)
  }
  return sum
}

/** A copy of exactly so many bytes. */
function whole(part: Uint8Array, lengthBytes: number): ArrayBuffer {
  const copy = new Uint8Array(lengthBytes)
  copy.set(part.subarray(0, lengthBytes))
  return copy.buffer
}
