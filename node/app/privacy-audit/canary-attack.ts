import { leastEpsilon } from '#core/evidence/privacy-region.ts'
import { exactly } from '#core/evidence/verdict.ts'
import { joined, type Table } from '#core/model/table.ts'
import { isPrivate } from '#core/protocol/private-rounds.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { judged, type Outcome, promiseOf } from './evidence.ts'
import { confidencesOf, fit, type Lab } from './lab.ts'

const CONFIDENCE = 0.95
const CORNERS = 24
const TITLE = 'Canaries: the least epsilon that fits what was seen'

/**
 * Puts the patient that moves the model most into every second training of the same rows, and says from each final model whether it was in. How well that
 * goes bounds epsilon from below (Jagielski, Ullman and Oprea 2020, arXiv:2006.07709): evidence against a smaller promise, and never a promise. Without noise
 * the same rows give the same model, so two trainings stand for all.
 */
export async function canaryAttack(lab: Lab, trials: number): Promise<Outcome> {
  const canary = await worstPatient(lab)
  if (canary === null) return { attack: 'canary', title: TITLE, why: 'this learner foretells nothing about one row' }
  const { privacy } = lab.guarded
  const delta = privacy?.delta ?? 0
  const [without, including] = [await sureOf(lab, lab.bare, lab.rows, canary), await sureOf(lab, lab.bare, joined([lab.rows, canary]), canary)]
  const bare = { members: Array<number>(trials / 2).fill(including), others: Array<number>(trials / 2).fill(without) }
  const most = leastEpsilon({ members: Array<number>(trials / 2).fill(1), others: Array<number>(trials / 2).fill(0) }, delta, CONFIDENCE)
  const shown = leastEpsilon(bare, delta, CONFIDENCE)
  const guarded = isPrivate(lab.guarded) ? await guardedScores(lab, canary, trials) : null
  return judged({
    attack: 'canary',
    title: TITLE,
    figure: 'epsilon at least',
    unprotected: exactly(shown),
    protected: guarded && exactly(leastEpsilon(guarded, delta, CONFIDENCE)),
    // What these trials cannot show even without any noise, they cannot clear.
    guessing: privacy?.epsilon ?? 0,
    ceiling: privacy?.epsilon ?? null,
    ...promiseOf(lab.guarded),
    note: `${trials} trainings, half of them with the canary, which can show an epsilon of ${most.toFixed(2)} at most`,
  })
}

async function guardedScores(lab: Lab, canary: Table, trials: number) {
  const [members, others]: [number[], number[]] = [[], []]
  const including = joined([lab.rows, canary])
  for (let i = 0; i < trials / 2; i++) {
    if (i % 16 === 0) lab.tools.tell?.(`canary ${2 * i} of ${trials}`)
    members.push(await sureOf(lab, lab.guarded, including, canary))
    others.push(await sureOf(lab, lab.guarded, lab.rows, canary))
  }
  return { members, others }
}

const sureOf = async (lab: Lab, protocol: Protocol, rows: Table, canary: Table): Promise<number> =>
  confidencesOf(await fit(lab, protocol, rows), protocol, canary)?.[0] ?? 0

/** Of patients at the ends of all ranges the one that a model of the others believes least. */
async function worstPatient(lab: Lab): Promise<Table | null> {
  const { features, label } = lab.bare
  const { coin } = lab.tools
  const end = ([low, high]: readonly [number, number]): number => (coin.uniform() < 0.5 ? low : high)
  const columns = features.map(({ name }) => name)
  const corners: Table = {
    columns,
    rows: CORNERS,
    values: Float64Array.from({ length: CORNERS * columns.length }, (_, i) => end((features[i % columns.length] as (typeof features)[number]).range)),
    label: Float64Array.from({ length: CORNERS }, () => end(label.range)),
  }
  const sure = confidencesOf(await fit(lab, lab.bare, lab.rows), lab.bare, corners)
  if (sure === null) return null
  const worst = sure.indexOf(Math.min(...sure))
  const width = columns.length
  return { columns, rows: 1, values: corners.values.slice(worst * width, (worst + 1) * width), label: corners.label.slice(worst, worst + 1) }
}
