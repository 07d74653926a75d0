import { createHash, hash } from 'node:crypto'

/** Through text for one part, which takes half the time of a buffer: a Merkle tree asks for 80,000 small hashes for 40 MB (0.1 s). */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return Buffer.from(hash('sha256', first, 'binary'), 'binary')
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}
