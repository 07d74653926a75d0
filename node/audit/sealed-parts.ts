import { INLINE_VECTOR_BYTES } from '#wire/announce.ts'

/**
 * Where the parts of a sealed object lie, written a second time for the audit.
 *
 * A vector is looked at in units: 64 KiB, doubled while there are more than 1,024. In n slices, slice s goes from unit ⌊s · units / n⌋ to the
 * one where the next begins, and is sealed in pieces of 1 MiB; nothing at all is one empty piece. Before the pieces of more than one unit
 * stands the outline, the units' Merkle roots. Each part ends with a tag of 16 bytes.
 */
export interface SealedParts {
  readonly lengthBytes: number
  readonly unitBytes: number
  /** Of the outline with its tag; 0 where there is none. */
  readonly outlineBytes: number
  readonly slices: readonly SealedSlicePlace[]
}

export interface SealedSlicePlace {
  readonly firstUnit: number
  readonly endUnit: number
  readonly start: number
  readonly end: number
  /** How many pieces it is sealed in. */
  readonly pieces: number
}

export const TAG_BYTES = 16
export const PIECE_BYTES = 1024 * 1024

/** Vectors that fit into a message are not cut. */
export const slicesFor = (lengthBytes: number, slices: number): number => (lengthBytes <= INLINE_VECTOR_BYTES ? 1 : slices)

/** What the object's plaintext would be long, if its blocks have these sizes. */
export function plainLength(blocks: readonly number[]): number {
  const pieces = blocks.length > 1 ? blocks.slice(1) : blocks
  return pieces.reduce((sum, size) => sum + size - TAG_BYTES, 0)
}

/** @returns null when no object of so many slices has blocks of these sizes */
export function partsOf(blocks: readonly number[], slices: number): SealedParts | null {
  const lengthBytes = plainLength(blocks)
  if (blocks.length === 0 || lengthBytes < 0) return null
  let unitBytes = 64 * 1024
  while (unitBytes * 1024 < lengthBytes) unitBytes *= 2
  const units = Math.ceil(lengthBytes / unitBytes)
  const places = Array.from({ length: slices }, (_, s) => {
    const [firstUnit, endUnit] = [Math.floor((s * units) / slices), Math.floor(((s + 1) * units) / slices)]
    const [start, end] = [Math.min(firstUnit * unitBytes, lengthBytes), Math.min(endUnit * unitBytes, lengthBytes)]
    return { firstUnit, endUnit, start, end, pieces: lengthBytes === 0 && s === 0 ? 1 : Math.ceil((end - start) / PIECE_BYTES) }
  })
  const parts = { lengthBytes, unitBytes, outlineBytes: units > 1 ? 32 * units + TAG_BYTES : 0, slices: places }
  const expected = sizesOf(parts)
  return expected.length === blocks.length && expected.every((size, i) => size === blocks[i]) ? parts : null
}

function sizesOf({ outlineBytes, slices }: SealedParts): number[] {
  const sizes = outlineBytes > 0 ? [outlineBytes] : []
  for (const { start, end, pieces } of slices) for (let i = 0; i < pieces; i++) sizes.push(Math.min(PIECE_BYTES, end - start - i * PIECE_BYTES) + TAG_BYTES)
  return sizes
}
