import { correlation } from '#core/evidence/inversion.ts'
import { type Measured, meanOf } from '#core/evidence/verdict.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { coverOf, judged, type Outcome } from './evidence.ts'
import { firstModel, rowGuessed, seen } from './first-round.ts'
import { type Lab, rowsAt } from './lab.ts'
import { bothWays, whatLeaves } from './what-leaves.ts'

/** Issue of the design: no guess from what leaves a hospital may be more like a patient. */
export const INVERSION_CEILING = 0.2
/** With so many the interval of the mean is ±0.07 for a dozen features. */
const VICTIMS = 64

/**
 * Rebuilds a patient's row from the vector of a cohort of that patient alone, which is the worst that a site could send. One guess a patient, the one
 * that an attacker would take; its correlation with the row over the features, in the mean over patients. Guessing comes to 0.
 */
export async function inversionAttack(lab: Lab, mode: Protocol['mode']): Promise<Outcome> {
  const victims = Array.from({ length: Math.min(VICTIMS, lab.rows.rows) }, (_, i) => i)
  const measured = await bothWays(lab, mode, (protocol, masks) => correlations(lab, protocol, victims, masks))
  return judged({
    attack: 'inversion',
    title: 'Gradient inversion: a patient rebuilt from a vector',
    figure: 'correlation with the row',
    ...measured,
    guessing: 0,
    ceiling: measured.protected === null ? null : INVERSION_CEILING,
    ...coverOf({ ...lab.guarded, mode }),
    note: `${victims.length} cohorts of one patient each, one guess for each`,
  })
}

async function correlations(lab: Lab, protocol: Protocol, victims: readonly number[], masks: number): Promise<Measured> {
  const model = await firstModel(lab, protocol)
  const found: number[] = []
  for (const victim of victims) {
    const row = rowsAt(lab.rows, [victim])
    const guess = rowGuessed(protocol, model, await whatLeaves(lab, protocol, model, row, masks))
    found.push(correlation(guess, seen(protocol, model, row.values)))
  }
  return meanOf(found)
}
