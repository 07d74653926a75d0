/**
 * Memory of large vectors, used again: 40 MB that the system has to find anew, page by page, cost 20 ms and more, several times in a round,
 * and each brings V8 closer to a collection of the whole heap.
 */
const kept: ArrayBuffer[] = []

/** What a round needs beside its base model: a sum and an update, or a sum and the next model. */
let mostKept = 2
const MIB = 1024 * 1024
/** Shorter than this it is the collector's as usual. */
export const LARGE_BYTES = MIB
/** So that vectors that differ by a head or a little room are of one size. */
const SLACK_BYTES = MIB / 4

/** At least so many bytes; with whatever was in it before. */
export const largeMemory = (bytes: number): ArrayBuffer => keptMemory(bytes) ?? new ArrayBuffer(sizeFor(bytes))

/** As `largeMemory`, all zeros. New memory is so without being written to: pages that nobody writes to take no room. */
export function zeroMemory(bytes: number): ArrayBuffer {
  const found = keptMemory(bytes)
  if (found !== null) new Uint8Array(found).fill(0)
  return found ?? new ArrayBuffer(sizeFor(bytes))
}

const sizeFor = (bytes: number): number => (bytes < LARGE_BYTES ? bytes : Math.ceil((bytes + SLACK_BYTES) / MIB) * MIB)

function keptMemory(bytes: number): ArrayBuffer | null {
  const found = bytes < LARGE_BYTES ? -1 : kept.findIndex((memory) => memory.byteLength === sizeFor(bytes))
  return found < 0 ? null : (kept.splice(found, 1)[0] as ArrayBuffer)
}

/** Takes memory back that nobody reads again; whoever still holds a part of it finds it empty. What is of another size than ours is freed. */
export function giveMemoryBack(memory: ArrayBufferLike): void {
  if (!(memory instanceof ArrayBuffer) || memory.detached) return
  const isOurs = memory.byteLength > LARGE_BYTES && memory.byteLength % MIB === 0
  if (isOurs) kept.unshift(memory.transfer())
  else memory.transfer(0)
  for (const old of kept.splice(mostKept)) old.transfer(0)
}

/** 0 where many sites live in one process: a sum that is begun in memory used before takes all of it, in new memory no more than was added to it. */
export function keepAtMost(count: number): void {
  mostKept = count
  for (const memory of kept.splice(count)) memory.transfer(0)
}

/** When no round is under way. */
export function freeKeptMemory(): void {
  for (const memory of kept.splice(0)) memory.transfer(0)
}
