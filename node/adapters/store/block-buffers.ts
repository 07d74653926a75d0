import { PIECE_BYTES } from './sealing.ts'

const MOST_KEPT = 16

/**
 * Buffers of one full block, used again: a fresh MiB each time costs more in page faults and garbage collection than reading the block.
 * Give back only what nobody else holds; what is never given back is garbage as usual.
 */
const kept: Uint8Array[] = []

export const blockBuffer = (lengthBytes: number): Uint8Array => (lengthBytes === PIECE_BYTES ? kept.pop() : undefined) ?? Buffer.allocUnsafeSlow(lengthBytes)

export function giveBack(buffer: Uint8Array): void {
  if (buffer.length === PIECE_BYTES && buffer.buffer.byteLength === PIECE_BYTES && kept.length < MOST_KEPT) kept.push(buffer)
}
