import { powerOfTwo } from './powers.ts'
import type { VectorBlock, VectorLayout } from './vectors.ts'

/** Summed and ignored, so that nobody can guess a root over few values. */
export const SALT_BYTES = 32

/** A layout of blocks in their order. `kind` exact: 64-bit integers, in words of either size; neural: one 32-bit word a coordinate. */
export function layoutOf(kind: 'exact' | 'neural', wordBits: 32 | 64, blocks: readonly VectorBlock[]): VectorLayout {
  const starts: number[] = []
  let length = 0
  for (const block of blocks) {
    starts.push(length)
    length += block.length
  }
  const find = (i: number): number => {
    let b = blocks.length - 1
    while (b > 0 && i < (starts[b] as number)) b--
    return b
  }
  const blockAt = (i: number): VectorBlock => blocks[find(i)] as VectorBlock
  const name = (i: number): string => {
    const b = find(i)
    const block = blocks[b] as VectorBlock
    const place = i - (starts[b] as number)
    return block.length === 1 ? block.name : `${block.name}[${block.columns?.[place] ?? place}]`
  }
  const limbs = kind === 'exact' && wordBits === 32 ? 4 : 1
  return { wordBits, limbs, length, blocks, fractionBits: (i) => blockAt(i).fractionBits, bound: (i) => blockAt(i).bound, name }
}

/** Bytes of a vector or of a sum, salt included. */
export const vectorBytes = (layout: VectorLayout): number => SALT_BYTES + (layout.length * layout.limbs * layout.wordBits) / 8

/** Largest integer magnitude that one site's coordinate may have in this block. */
export const integerBound = (block: VectorBlock): number => Math.ceil(block.bound * powerOfTwo(block.fractionBits))
