import { RingAdder } from './add.ts'
import { layoutOf, SALT_BYTES, vectorBytes } from './layout.ts'
import type { VectorLayout } from './vectors.ts'

/** A round in groups: each site's vector has a part for every group, zeros in all but its own, so that the sum has each group's sum in a part of its own. */
export function groupedLayout(stage: VectorLayout, groups: number): VectorLayout {
  const kind = stage.wordBits === 64 || stage.limbs === 4 ? 'exact' : 'neural'
  return layoutOf(kind, stage.wordBits, Array.from({ length: groups }, () => stage.blocks).flat())
}

/** Bytes of a vector, from the first to before the last. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Where a group's part lies. @param stage layout of one site's numbers */
export function partOf(stage: VectorLayout, group: number): ByteRange {
  const length = vectorBytes(stage) - SALT_BYTES
  return { start: SALT_BYTES + group * length, end: SALT_BYTES + (group + 1) * length }
}

/** A site's vector, with its numbers in its group's part. */
export function intoPart(bytes: Uint8Array, stage: VectorLayout, group: number, groups: number): Uint8Array {
  const whole = new Uint8Array(vectorBytes(groupedLayout(stage, groups)))
  whole.set(bytes.subarray(0, SALT_BYTES))
  whole.set(bytes.subarray(SALT_BYTES), partOf(stage, group).start)
  return whole
}

/** The sum of the sites of these groups alone, as a round among them would have. @param sum of a round in groups, without masks */
export function sumOfGroups(sum: Uint8Array, stage: VectorLayout, groups: readonly number[]): Uint8Array {
  const adder = new RingAdder(stage.wordBits, vectorBytes(stage))
  for (const group of groups) {
    const { start, end } = partOf(stage, group)
    adder.add(sum.subarray(start, end), SALT_BYTES)
  }
  return adder.sum.bytes
}

/** Why a part of a masked vector may not be added: a site whose words stand in another group's sum would spoil that one. @param offset of the part in the vector */
export function strayFault(part: Uint8Array, offset: number, own: ByteRange | undefined): string | null {
  if (own === undefined) return 'its site is in no group of the round'
  for (let i = Math.max(0, SALT_BYTES - offset); i < part.length; i++) {
    if (offset + i === own.start) i += own.end - own.start
    if (i < part.length && part[i] !== 0 && !(offset + i >= own.start && offset + i < own.end)) return "it has words in another group's part"
  }
  return null
}
