import { RotaError } from '#base/errors.ts'
import { integerBound, SALT_BYTES, vectorBytes } from './layout.ts'
import { powerOfTwo } from './powers.ts'
import type { SumValues, VectorBlock, VectorLayout } from './vectors.ts'

/**
 * Why one site's plain vector is not well-formed, or null. Length first; then each coordinate's range, so that in an open
 * study nobody's vector can carry more weight than the protocol allows. Masked vectors look random: `ranges` false.
 */
export function malformed(bytes: Uint8Array, layout: VectorLayout, ranges = true): string | null {
  const expected = vectorBytes(layout)
  if (bytes.length !== expected) return `${bytes.length} bytes where the stage has ${expected}`
  if (!ranges) return null
  const at = integers(bytes, layout)
  let i = 0
  for (const block of layout.blocks) {
    const most = integerBound(block)
    for (const end = i + block.length; i < end; i++) if (!(Math.abs(at(i)) <= most)) return `${layout.name(i)} is out of its range`
  }
  return at(0) < 0 ? 'a negative number of rows' : null
}

export const wellFormed = (bytes: Uint8Array, layout: VectorLayout, ranges = true): boolean => malformed(bytes, layout, ranges) === null

/** @throws ROTA-2103 when the sum has not the layout's length */
export function decodeSum(bytes: Uint8Array, layout: VectorLayout, sites: number): SumValues {
  const reason = malformed(bytes, layout, false)
  if (reason) throw new RotaError('ROTA-2103', { reason })
  const at = integers(bytes, layout)
  if (layout.blocks.length === 2) {
    // The large case: [n, weights…]; no search for the block.
    const [head, body] = layout.blocks as [VectorBlock, VectorBlock]
    const headStep = powerOfTwo(-head.fractionBits)
    const bodyStep = powerOfTwo(-body.fractionBits)
    return { sites, length: layout.length, at: (i) => at(i) * (i < head.length ? headStep : bodyStep) }
  }
  return { sites, length: layout.length, at: (i) => at(i) * powerOfTwo(-layout.fractionBits(i)) }
}

/** Coordinate i as a signed integer; above 2^53 rounded to the nearest float64, which is the same everywhere. */
function integers(bytes: Uint8Array, layout: VectorLayout): (i: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + SALT_BYTES, bytes.length - SALT_BYTES)
  if (layout.limbs === 4) return (i) => Number(joinLimbs(view, i * 16))
  return layout.wordBits === 64 ? (i) => Number(view.getBigInt64(i * 8, true)) : (i) => view.getInt32(i * 4, true)
}

function joinLimbs(view: DataView, at: number): bigint {
  let value = 0n
  for (let limb = 0; limb < 4; limb++) value += BigInt(view.getUint32(at + limb * 4, true)) << BigInt(16 * limb)
  return BigInt.asIntN(64, value)
}
