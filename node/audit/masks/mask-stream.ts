import { createCipheriv } from 'node:crypto'
import { addTo } from '../ring-words.ts'

/** A mask as long as any vector, and how it stands in the sum. */
export interface MaskStream {
  readonly key: Uint8Array
  readonly sign: 1 | -1
}

/** At a time; whole words and whole cipher blocks. */
const PART_BYTES = 1 << 18

/** The sum without its masks, in bytes of its own. A mask is AES-256-CTR of zeros, its counter 0 at the first byte. */
export function withoutMasks(sum: Uint8Array, wordBits: 32 | 64, streams: readonly MaskStream[]): Uint8Array {
  const plain = Uint8Array.from(sum)
  const zeros = new Uint8Array(Math.min(PART_BYTES, sum.length))
  for (const { key, sign } of streams) {
    const cipher = createCipheriv('aes-256-ctr', key, new Uint8Array(16))
    for (let at = 0; at < plain.length; at += PART_BYTES) {
      const part = plain.subarray(at, at + PART_BYTES)
      addTo(part, cipher.update(zeros.subarray(0, part.length)), wordBits, sign === 1 ? -1 : 1)
    }
  }
  return plain
}
