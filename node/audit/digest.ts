import { createHash } from 'node:crypto'
import type { Digest } from '#base/ids.ts'

/** SHA-256 of the parts one after another. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const asDigest = (hash: Uint8Array): Digest => `0x${Buffer.from(hash).toString('hex')}` as Digest

export const digestOf = (...parts: readonly Uint8Array[]): Digest => asDigest(sha256(...parts))
