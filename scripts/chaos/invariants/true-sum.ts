import { sha256 } from '#app/sha256.ts'
import type { Digest } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'

/** Adds vectors modulo 2^32 or 2^64, word by word, little endian: on purpose not with the code that the nodes add with. */
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
  const sum = new Uint8Array(parts[0]?.length ?? 0)
  const wordBytes = wordBits / 8
  for (let word = 0; word < sum.length; word += wordBytes) {
    let carry = 0
    for (let i = word; i < word + wordBytes; i++) {
      for (const part of parts) carry += part[i] ?? 0
      sum[i] = carry & 0xff
      carry >>= 8
    }
  }
  return { root: merkleRoot(sum, sha256) }
}
