import { RotaError } from '#base/errors.ts'
import { SALT_BYTES, vectorBytes } from './layout.ts'
import { powerOfTwo } from './powers.ts'
import { coordinatesOf, wordsOf } from './vector-check.ts'
import type { SumValues, VectorBlock, VectorLayout } from './vectors.ts'

/** @throws ROTA-2103 when the sum has not the layout's length */
export function decodeSum(bytes: Uint8Array, layout: VectorLayout, sites: number): SumValues {
  const expected = vectorBytes(layout)
  if (bytes.length !== expected) throw new RotaError('ROTA-2103', { reason: `${bytes.length} bytes where the stage has ${expected}` })
  const at = coordinatesOf(bytes.subarray(SALT_BYTES), layout)
  if (layout.blocks.length === 2) {
    // The large case: [n, weights…]; no search for the block.
    const [head, body] = layout.blocks as [VectorBlock, VectorBlock]
    const headStep = powerOfTwo(-head.fractionBits)
    const bodyStep = powerOfTwo(-body.fractionBits)
    const bodyStart = head.length
    if (layout.wordBits === 32 && layout.limbs === 1) {
      const words = wordsOf(bytes.subarray(SALT_BYTES))
      return { sites, length: layout.length, at: (i) => (words[i] as number) * (i < bodyStart ? headStep : bodyStep), words }
    }
    return { sites, length: layout.length, at: (i) => at(i) * (i < bodyStart ? headStep : bodyStep) }
  }
  return { sites, length: layout.length, at: (i) => at(i) * powerOfTwo(-layout.fractionBits(i)) }
}
