import { LARGE_BYTES, largeMemory } from '#base/large-memory.ts'

/** What is written around weights when a model is encoded: names, a few numbers, means and deviations of some thousand columns. */
const ROOM_BYTES = 64 * 1024
/** Memory that was made here: nobody else has a part of it. */
const ours = new WeakSet<ArrayBufferLike>()

/**
 * Weights, with room before and after them where they are large, so that their other forms (a model's bytes, an update in fixed point) can be
 * written in the same memory. They hold whatever was in it before.
 */
export function roomyFloats(length: number): Float32Array {
  if (4 * length < LARGE_BYTES) return new Float32Array(length)
  const memory = largeMemory(ROOM_BYTES + 4 * length + ROOM_BYTES)
  ours.add(memory)
  return new Float32Array(memory, ROOM_BYTES, length)
}

/** The weights with so many bytes before and after them, in the same memory; null where there is no room that is theirs alone. */
export function withRoom({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array, before: number, after: number): Uint8Array | null {
  if (!ours.has(buffer) || byteOffset !== ROOM_BYTES || before > ROOM_BYTES || after > ROOM_BYTES) return null
  return new Uint8Array(buffer, byteOffset - before, before + byteLength + after)
}
