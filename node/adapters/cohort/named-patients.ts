import { RotaError } from '#base/errors.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ReadRows } from './read-rows.ts'
import type { RowPlan } from './row-plan.ts'

/**
 * Where patients are protected, a column must name them: that a file has a line a patient is nothing that the line itself can tell.
 * @throws ROTA-2382
 */
export function checkNamed(rows: number, { patient }: Pick<RowPlan, 'patient'>, { privacy }: Pick<Protocol, 'privacy'>): void {
  if (privacy?.unit === 'patient' && patient === null) throw new RotaError('ROTA-2382', { missing: rows, rows })
}

/** What would keep the site out of a study with differential privacy, before anybody is asked for consent: ROTA-2382, ROTA-2383. */
export function privacyProblems({ rows, plan }: Pick<ReadRows, 'rows' | 'plan'>, { privacy }: Pick<Protocol, 'privacy'>): readonly RotaError[] {
  if (privacy === undefined) return []
  const patients = rows.filter(({ set }) => set === 'train').length
  return [
    ...(plan.patient === null ? [new RotaError('ROTA-2382', { missing: rows.length, rows: rows.length })] : []),
    ...(patients < privacy.minPatients ? [new RotaError('ROTA-2383', { patients, minimum: privacy.minPatients })] : []),
  ]
}
