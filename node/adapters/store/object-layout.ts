import { unitBytes, unitCount } from '#core/commit/outline.ts'
import { slicesOf } from '#core/commit/slices.ts'
import { PIECE_BYTES, TAG_BYTES } from './sealing.ts'

/** One encrypted piece of an object, and its place in the plaintext. */
export interface Piece {
  readonly slice: number
  /** In its slice. */
  readonly index: number
  readonly start: number
  readonly end: number
  readonly firstUnit: number
  readonly endUnit: number
}

/** Which blocks make up an object of that length in so many slices; see sealing.ts. */
export interface ObjectLayout {
  readonly lengthBytes: number
  readonly slices: number
  /** Of the outline, encrypted; 0 where there is none. */
  readonly outlineBytes: number
  readonly pieces: readonly Piece[]
}

export function layoutOf(lengthBytes: number, slices: number): ObjectLayout {
  const units = unitCount(lengthBytes)
  const unitsEach = PIECE_BYTES / unitBytes(lengthBytes)
  const pieces: Piece[] = []
  for (const { slice, start, end, firstUnit, endUnit } of slicesOf(lengthBytes, slices)) {
    for (let index = 0; start + index * PIECE_BYTES < end; index++) {
      const from = firstUnit + index * unitsEach
      const at = start + index * PIECE_BYTES
      pieces.push({ slice, index, start: at, end: Math.min(at + PIECE_BYTES, end), firstUnit: from, endUnit: Math.min(from + unitsEach, endUnit) })
    }
  }
  if (lengthBytes === 0) pieces.push({ slice: 0, index: 0, start: 0, end: 0, firstUnit: 0, endUnit: 0 })
  return { lengthBytes, slices, outlineBytes: units > 1 ? 32 * units + TAG_BYTES : 0, pieces }
}

/** Sizes of the object's blocks in order. */
export function blockSizes({ outlineBytes, pieces }: ObjectLayout): number[] {
  const sizes = pieces.map(({ start, end }) => end - start + TAG_BYTES)
  return outlineBytes === 0 ? sizes : [outlineBytes, ...sizes]
}

export const sealedBytes = (layout: ObjectLayout): number => blockSizes(layout).reduce((sum, size) => sum + size, 0)

/** The layout that has blocks of these sizes; null when an object in so many slices never has. */
export function layoutFrom(sizes: readonly number[], slices: number): ObjectLayout | null {
  const pieces = sizes.length > 1 ? sizes.slice(1) : sizes
  const lengthBytes = pieces.reduce((sum, size) => sum + size - TAG_BYTES, 0)
  if (lengthBytes < 0) return null
  const layout = layoutOf(lengthBytes, slices)
  const expected = blockSizes(layout)
  return expected.length === sizes.length && expected.every((size, at) => size === sizes[at]) ? layout : null
}

/** The layout of an object of one slice that is so long when it is encrypted; null when none is. Up to 64 MiB: such objects travel in messages. */
export function layoutOfSealed(totalBytes: number): ObjectLayout | null {
  let [low, high] = [0, Math.min(totalBytes, 64 * PIECE_BYTES)]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (sealedBytes(layoutOf(middle, 1)) < totalBytes) low = middle + 1
    else high = middle
  }
  const layout = layoutOf(low, 1)
  return sealedBytes(layout) === totalBytes ? layout : null
}
