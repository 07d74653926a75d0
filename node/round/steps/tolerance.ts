import { integerBound } from '#core/ring/layout.ts'
import { squaresWithin } from '#core/ring/vector-check.ts'
import type { SumValues, VectorBlock, VectorLayout } from '#core/ring/vectors.ts'

/**
 * Whether a sum is one that updates inside the protocol's bounds can give: no coordinate beyond sites × bound, and, for a
 * block of weights, an L2 norm of at most sites × bound too (one site's norm is bounded, so is the sum's), with room for
 * rounding half a step in every coordinate. A sum beyond that is refused, and its round is contributed afresh.
 */
export function withinBounds(layout: VectorLayout, sum: SumValues): boolean {
  let at = 0
  for (const block of layout.blocks) {
    if (!blockWithin(block, sum, at)) return false
    at += block.length
  }
  return true
}

function blockWithin(block: VectorBlock, sum: SumValues, start: number): boolean {
  const step = 2 ** -block.fractionBits
  const most = sum.sites * integerBound(block) * step
  if (sum.words !== undefined && block.name === 'delta') return weightsWithin(block, sum.words.subarray(start, start + block.length), sum.sites)
  let squares = 0
  for (let i = start; i < start + block.length; i++) {
    const value = sum.at(i)
    if (!(Math.abs(value) <= most)) return false
    squares += value * value
  }
  return block.name !== 'delta' || Math.sqrt(squares) <= sum.sites * (block.bound + step * Math.sqrt(block.length))
}

/** The large case, in words: powers of two scale without rounding, so it is the same in every bit. */
function weightsWithin(block: VectorBlock, words: Int32Array, sites: number): boolean {
  const step = 2 ** -block.fractionBits
  const squares = squaresWithin(words, 0, words.length, sites * integerBound(block))
  return squares >= 0 && Math.sqrt(squares) * step <= sites * (block.bound + step * Math.sqrt(block.length))
}
