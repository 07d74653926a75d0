/**
 * Memory of large vectors, used again: 40 MB that the system has to find anew, page by page, cost 20 ms and more, several times in a round,
 * and each brings V8 closer to a collection of the whole heap.
 */
const kept: ArrayBuffer[] = []

/** What a round needs beside its base model: a sum and an update, or a sum and the next model. */
const MOST_KEPT = 2
const MIB = 1024 * 1024
/** Shorter than this it is the collector's as usual. */
export const LARGE_BYTES = MIB
/** So that vectors that differ by a head or a little room are of one size. */
const SLACK_BYTES = MIB / 4

/** At least so many bytes; with whatever was in it before. */
export function largeMemory(bytes: number): ArrayBuffer {
  if (bytes < LARGE_BYTES) return new ArrayBuffer(bytes)
  const size = Math.ceil((bytes + SLACK_BYTES) / MIB) * MIB
  const found = kept.findIndex((memory) => memory.byteLength === size)
  return found < 0 ? new ArrayBuffer(size) : (kept.splice(found, 1)[0] as ArrayBuffer)
}

/** Takes memory back that nobody reads again; whoever still holds a part of it finds it empty. What is of another size than ours is freed. */
export function giveMemoryBack(memory: ArrayBufferLike): void {
  if (!(memory instanceof ArrayBuffer) || memory.detached) return
  const isOurs = memory.byteLength > LARGE_BYTES && memory.byteLength % MIB === 0
  if (isOurs) kept.unshift(memory.transfer())
  else memory.transfer(0)
  for (const old of kept.splice(MOST_KEPT)) old.transfer(0)
}

/** When no round is under way. */
export function freeKeptMemory(): void {
  for (const memory of kept.splice(0)) memory.transfer(0)
}
