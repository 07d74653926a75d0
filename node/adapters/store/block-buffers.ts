import { release } from '#base/bytes.ts'
import { MAX_BLOCK_BYTES } from './sealing.ts'

const MOST_KEPT = 12
/** Shorter ones are not worth a full block's memory. */
const LARGE_BYTES = MAX_BLOCK_BYTES / 2

/**
 * Buffers of one full block, used again: a fresh MiB each time costs more in page faults and garbage collection than reading the block.
 * Give back only what nobody else holds; what is never given back is garbage as usual.
 */
const kept: ArrayBufferLike[] = []

/** Holds whatever was in it before. */
export function blockBuffer(lengthBytes: number): Uint8Array {
  if (lengthBytes < LARGE_BYTES || lengthBytes > MAX_BLOCK_BYTES) return Buffer.allocUnsafeSlow(lengthBytes)
  return new Uint8Array(kept.pop() ?? Buffer.allocUnsafeSlow(MAX_BLOCK_BYTES).buffer, 0, lengthBytes)
}

export function giveBack({ buffer }: Uint8Array): void {
  if (buffer.byteLength !== MAX_BLOCK_BYTES) return
  if (kept.length < MOST_KEPT) kept.push(buffer)
  else release(new Uint8Array(buffer))
}
