import { createHash, hash } from 'node:crypto'
import type { Sha256 } from '#base/bytes.ts'

/** Through text for one part, which takes half the time of a buffer: a Merkle tree asks for 80,000 small hashes for 40 MB (0.1 s). */
export const sha256: Sha256 = Object.assign(
  (...parts: Uint8Array[]): Uint8Array => {
    const [first] = parts
    if (first !== undefined && parts.length === 1) return Buffer.from(hash('sha256', first, 'binary'), 'binary')
    const digest = createHash('sha256')
    for (const part of parts) digest.update(part)
    return digest.digest()
  },
  { into: (part: Uint8Array, target: Buffer, at: number) => void target.write(hash('sha256', part, 'binary'), at, 32, 'latin1') },
)
