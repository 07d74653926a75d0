import { unitBytes, unitCount } from './outline.ts'

/** A part of a vector that some custodians add up: whole units, so that its place in the tree is known. */
export interface Slice {
  readonly slice: number
  /** In bytes of the vector. */
  readonly start: number
  readonly end: number
  readonly firstUnit: number
  readonly endUnit: number
}

/** The slices of a vector in order, as even as whole units allow. A vector of fewer units than slices has empty ones. */
export function slicesOf(lengthBytes: number, slices: number): readonly Slice[] {
  const units = unitCount(lengthBytes)
  const size = unitBytes(lengthBytes)
  const cut = (slice: number): number => Math.floor((slice * units) / slices)
  const byte = (unit: number): number => Math.min(unit * size, lengthBytes)
  return Array.from({ length: slices }, (_, slice) => {
    const [firstUnit, endUnit] = [cut(slice), cut(slice + 1)]
    return { slice, start: byte(firstUnit), end: byte(endUnit), firstUnit, endUnit }
  })
}
