import { integerBound, SALT_BYTES } from '#core/ring/layout.ts'
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

/**
 * Why one site's weights may not be added, or null. They stand in the sum as delta × rows / maxRows, and the norm of delta is bounded;
 * rounding moves a coordinate by less than a step. Without this one site could make every sum refused, or weigh more than its rows.
 */
export function beyondNorm(bytes: Uint8Array, layout: VectorLayout): string | null {
  const [rows, delta] = layout.blocks
  if (rows === undefined || delta?.name !== 'delta') return null
  const at = bytes.byteOffset + SALT_BYTES
  const words = at % 4 === 0 ? new Int32Array(bytes.buffer, at, layout.length) : new Int32Array(bytes.slice(SALT_BYTES).buffer, 0, layout.length)
  let squares = 0
  for (let i = 1; i < words.length; i++) squares += (words[i] as number) * (words[i] as number)
  const share = Math.min(1, (words[0] as number) / rows.bound)
  const most = delta.bound * share * (1 + 1e-9) * 2 ** delta.fractionBits + Math.sqrt(delta.length)
  return Math.sqrt(squares) <= most ? null : 'its weights are beyond the norm bound'
}

function blockWithin(block: VectorBlock, sum: SumValues, start: number): boolean {
  const step = 2 ** -block.fractionBits
  const most = sum.sites * integerBound(block) * step
  let squares = 0
  for (let i = start; i < start + block.length; i++) {
    const value = sum.at(i)
    if (!(Math.abs(value) <= most)) return false
    squares += value * value
  }
  return block.name !== 'delta' || Math.sqrt(squares) <= sum.sites * (block.bound + step * Math.sqrt(block.length))
}
