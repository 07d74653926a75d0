import { RotaError } from '#base/errors.ts'
import type { RandomSource } from '#core/ring/to-ring.ts'

/** Whose rows are whose: those of patient p are order[starts[p]] … order[starts[p + 1] − 1]. Patients are numbered as they first appear. */
export interface Patients {
  readonly count: number
  readonly starts: Uint32Array
  readonly order: Uint32Array
}

export interface UnitPolicy {
  /** What one may add or take away without the result telling: all rows of a patient, or (a weaker promise, to be named as such) one row. */
  readonly unit: 'patient' | 'row'
  /** Fewest patients with which a site takes part. That it refuses tells that it has fewer: a fact about the cohort that noise does not cover. */
  readonly minPatients: number
}

/**
 * @param identifiers one a row, whatever they are, equal for rows of one patient; null for a table without any
 * @throws ROTA-2382 where a row of a patient-level study has no identifier, ROTA-2383 below the policy's minimum
 */
export function groupPatients(rows: number, identifiers: readonly (string | null)[] | null, { unit, minPatients }: UnitPolicy): Patients {
  const missing = identifiers === null ? rows : identifiers.reduce((count, id) => count + (id === null || id === '' ? 1 : 0), 0)
  if (unit === 'patient' && (missing > 0 || (identifiers !== null && identifiers.length !== rows))) throw new RotaError('ROTA-2382', { missing, rows })
  const patients = unit === 'row' ? oneRowEach(rows) : byIdentifier(identifiers as readonly string[])
  if (patients.count < minPatients) throw new RotaError('ROTA-2383', { patients: patients.count, minimum: minPatients })
  return patients
}

function byIdentifier(identifiers: readonly string[]): Patients {
  const numbers = new Map<string, number>()
  for (const id of identifiers) if (!numbers.has(id)) numbers.set(id, numbers.size)
  return grouped(
    Uint32Array.from(identifiers, (id) => numbers.get(id) as number),
    numbers.size,
  )
}

/** Each row a patient of its own. */
export const oneRowEach = (rows: number): Patients => ({
  count: rows,
  starts: Uint32Array.from({ length: rows + 1 }, (_, i) => i),
  order: Uint32Array.from({ length: rows }, (_, i) => i),
})

/** @param numbers of each row, below `count` */
export function grouped(numbers: Uint32Array, count: number): Patients {
  const starts = new Uint32Array(count + 1)
  for (const number of numbers) starts[number + 1] = (starts[number + 1] as number) + 1
  for (let p = 0; p < count; p++) starts[p + 1] = (starts[p + 1] as number) + (starts[p] as number)
  const next = starts.slice()
  const order = new Uint32Array(numbers.length)
  numbers.forEach((number, row) => {
    order[next[number] as number] = row
    next[number] = (next[number] as number) + 1
  })
  return { count, starts, order }
}

/**
 * Poisson sampling: each patient takes part with probability `rate`, by a draw of its own of 53 bits. The accountant's amplification holds for this and
 * not for shuffled batches, however alike they look (arXiv:2403.17673). The rate is met to 2^-53, never exceeded. None may be drawn: a step like any other.
 */
export function drawPatients(count: number, rate: number, random: RandomSource): Uint32Array {
  const bytes = random.bytes(8 * count)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const drawn = new Uint32Array(count)
  const limit = Math.floor(rate * 0x20000000000000)
  let size = 0
  for (let p = 0; p < count; p++) if (0x200000 * view.getUint32(8 * p, true) + (view.getUint32(8 * p + 4, true) >>> 11) < limit) drawn[size++] = p
  return drawn.slice(0, size)
}
