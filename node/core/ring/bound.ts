import { RotaError } from '#base/errors.ts'
import { integerBound } from './layout.ts'
import { powerOfTwo } from './powers.ts'
import type { BoundedUpdate, ExactUpdate, LocalUpdate, NeuralUpdate } from './vectors.ts'

/**
 * Keeps one site from moving the sum further than the protocol allows.
 * Exact vectors are checked and never scaled; neural ones are scaled down until their L2 norm is at most `normBound`.
 * Does not protect one patient inside a site.
 * @throws ROTA-2101 at a NaN or an infinite number, ROTA-2102 when an exact coordinate is out of its range; each names the coordinate
 */
export const boundUpdate = (update: LocalUpdate): BoundedUpdate => (update.kind === 'exact' ? checkRange(update) : boundNorm(update))

function checkRange(update: ExactUpdate): BoundedUpdate {
  const { layout, coordinates } = update
  if (coordinates.length !== layout.length)
    throw new RotaError('ROTA-2103', { reason: `${coordinates.length} coordinates where the stage has ${layout.length}` })
  let i = 0
  for (const block of layout.blocks) {
    const most = BigInt(integerBound(block))
    for (const end = i + block.length; i < end; i++) {
      const c = coordinates[i] as bigint
      if (c > most || c < -most)
        throw new RotaError('ROTA-2102', { coordinate: layout.name(i), value: Number(c) / powerOfTwo(block.fractionBits), bound: block.bound })
    }
  }
  return { ...update, bounded: true, scale: 1 }
}

function boundNorm(update: NeuralUpdate): BoundedUpdate {
  const { layout, delta, rows, weight, normBound } = update
  if (delta.length !== layout.length - 1) throw new RotaError('ROTA-2103', { reason: `${delta.length} weights where the stage has ${layout.length - 1}` })
  if (!(weight >= 0 && weight <= 1) || !(rows >= 0)) throw new RotaError('ROTA-2102', { coordinate: layout.name(0), value: rows, bound: layout.bound(0) })
  let squares = 0
  for (let i = 0; i < delta.length; i++) {
    const d = delta[i] as number
    squares += d * d
  }
  // The sum is finite unless a weight is not: float32 squares cannot overflow float64.
  if (!Number.isFinite(squares)) throw new RotaError('ROTA-2101', { coordinate: layout.name(1 + delta.findIndex((d) => !Number.isFinite(d))) })
  const norm = Math.sqrt(squares)
  return { ...update, bounded: true, scale: norm > normBound ? normBound / norm : 1 }
}
