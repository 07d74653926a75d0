import { matchGradient } from '#core/evidence/gradient-matching.ts'
import { correlation } from '#core/evidence/inversion.ts'
import { type Measured, meanOf } from '#core/evidence/verdict.ts'
import { weightsOf } from '#core/learner/neural.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { coverOf, judged, type Outcome } from './evidence.ts'
import { firstModel, seen } from './first-round.ts'
import { INVERSION_CEILING } from './inversion-attack.ts'
import { type Lab, rowsAt } from './lab.ts'
import { bothWays, whatLeaves } from './what-leaves.ts'

const TITLE = 'Gradient inversion by optimisation: two patients out of one vector'
const PAIRS = 40
const EFFORT = { starts: 3, steps: 250 }

/** As `inversionAttack`, for cohorts of two patients with different outcomes, whose rows no division parts. Slow; networks only. */
export async function matchingAttack(lab: Lab, mode: Protocol['mode']): Promise<Outcome> {
  const { learner, label } = lab.bare
  if (learner.kind !== 'neural' || label.kind !== 'binary')
    return { attack: 'matching', title: TITLE, why: 'it is for networks with two outcomes: what all others send shows a row by division' }
  const of = (outcome: number): number[] => Array.from(lab.rows.label, (y, i) => (y === outcome ? i : -1)).filter((i) => i >= 0)
  const [no, yes] = [of(0), of(1)]
  const pairs = Array.from({ length: Math.min(PAIRS, no.length, yes.length) }, (_, i) => [no[i] as number, yes[i] as number])
  const measured = await bothWays(lab, mode, (protocol, masks) => correlations(lab, protocol, pairs, masks))
  return judged({
    attack: 'matching',
    title: TITLE,
    figure: 'correlation with the row',
    ...measured,
    guessing: 0,
    ceiling: measured.protected === null ? null : INVERSION_CEILING,
    ...coverOf({ ...lab.guarded, mode }),
    note: `${pairs.length} cohorts of two patients each`,
  })
}

async function correlations(lab: Lab, protocol: Protocol, pairs: readonly (readonly number[])[], masks: number): Promise<Measured> {
  const { learner } = protocol
  if (learner.kind !== 'neural') return meanOf([])
  const model = await firstModel(lab, protocol)
  const weights = weightsOf(model)
  const inputs = protocol.features.length
  const found: number[] = []
  for (const [i, pair] of pairs.entries()) {
    lab.tools.tell?.(`inversion ${i + 1} of ${pairs.length}`)
    lab.tools.signal.throwIfAborted()
    const sent = await whatLeaves(lab, protocol, model, rowsAt(lab.rows, pair), masks)
    const change = Float64Array.from(weights, (_, k) => sent.at(1 + k))
    const task = { layers: learner.layers, weights, change, labels: [0, 1], inputs, random: () => 2 * lab.tools.coin.uniform() - 1 }
    const guesses = matchGradient(task, EFFORT)
    for (const [k, row] of pair.entries()) found.push(correlation(guesses[k] as Float64Array, seen(protocol, model, rowsAt(lab.rows, [row]).values)))
  }
  return meanOf(found)
}
