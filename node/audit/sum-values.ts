import type { Learner } from '#core/learner/learner.ts'

type VectorLayout = ReturnType<Learner['layout']>
type VectorBlock = VectorLayout['blocks'][number]
type SumValues = Parameters<Learner['advance']>[1]

/** Random words in front of each vector; their sum means nothing. */
const SALT_BYTES = 32

/**
 * A sum's words as real numbers, written a second time for the audit. One rounding, to the nearest float64, where an integer is
 * beyond 2^53: high · 2^32 + low has both parts exact.
 * @returns null when the bytes are not of the layout's length
 */
export function readSum(bytes: Uint8Array, layout: VectorLayout, sites: number): SumValues | null {
  const bytesEach = (layout.wordBits / 8) * layout.limbs
  if (bytes.length !== SALT_BYTES + bytesEach * layout.length) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset + SALT_BYTES, bytes.length - SALT_BYTES)
  const integer = layout.limbs === 4 ? fromLimbs : layout.wordBits === 64 ? fromWord64 : fromWord32
  return { sites, length: layout.length, at: (i) => integer(view, i * bytesEach) / scaleOf(layout.fractionBits(i)) }
}

const fromWord32 = (view: DataView, at: number): number => view.getInt32(at, true)

const fromWord64 = (view: DataView, at: number): number => view.getInt32(at + 4, true) * 4_294_967_296 + view.getUint32(at, true)

/** Four 16-bit limbs, each summed in a word of its own, together a two's complement integer of 64 bits. */
function fromLimbs(view: DataView, at: number): number {
  let value = 0n
  for (let limb = 3; limb >= 0; limb--) value = (value << 16n) + BigInt(view.getUint32(at + 4 * limb, true))
  return Number(BigInt.asIntN(64, value))
}

const scales: number[] = [1]

/** 2^bits by doubling, which is exact. */
function scaleOf(bits: number): number {
  while (scales.length <= bits) scales.push((scales.at(-1) as number) * 2)
  return scales[bits] as number
}

/**
 * Whether updates inside the protocol's bounds can add up to this; a sum that is beyond them is refused. Coordinates: at most
 * sites × bound. Weights (block `delta`) also as a whole: their L2 norm, with half a step of rounding in each.
 */
export function withinBounds(layout: VectorLayout, sum: SumValues): boolean {
  let start = 0
  return layout.blocks.every((block) => {
    start += block.length
    return blockWithin(block, sum, start - block.length)
  })
}

function blockWithin(block: VectorBlock, sum: SumValues, start: number): boolean {
  const scale = scaleOf(block.fractionBits)
  const most = (sum.sites * Math.ceil(block.bound * scale)) / scale
  let squares = 0
  for (let i = 0; i < block.length; i++) {
    const value = sum.at(start + i)
    if (Math.abs(value) > most) return false
    squares += value * value
  }
  return block.name !== 'delta' || Math.sqrt(squares) <= sum.sites * (block.bound + Math.sqrt(block.length) / scale)
}
