import { type KnownUpdate, propertyScores } from '#core/evidence/property.ts'
import { separationOf } from '#core/evidence/separation.ts'
import type { Measured } from '#core/evidence/verdict.ts'
import type { Model } from '#core/model/model.ts'
import { hidesUpdates, type Protocol } from '#core/protocol/protocol.ts'
import { cohortCoverOf, judged, type Outcome } from './evidence.ts'
import { firstModel } from './first-round.ts'
import { type Lab, rowsAt } from './lab.ts'
import { bothWays, whatLeaves } from './what-leaves.ts'

/** Patients of a small cohort, and how many of them have the property where it has it; mirrored where it has not. */
const COHORT = 20
const HAVING = 16
const KNOWN = 30
const TRIED = 40
const TITLE = 'Property inference: what a small cohort has more of'
/** Twice the interval's half width for guessing: what cannot be told from chance with so many. */
const CEILING = 0.75

/**
 * Tells from the vector of a small cohort whether most of its patients lie above the site's median of a feature. Noise for one patient does not hide what
 * sixteen have in common: under noise alone nothing is promised, under masks nothing may be seen.
 */
export async function propertyAttack(lab: Lab, mode: Protocol['mode']): Promise<Outcome> {
  const sides = sidesOf(lab)
  if (sides === null) return { attack: 'property', title: TITLE, why: `no feature has ${COHORT} patients on either side of its median` }
  return judged({
    attack: 'property',
    title: TITLE,
    figure: 'area under the curve',
    ...(await bothWays(lab, mode, (protocol, masks) => area(lab, protocol, sides, masks))),
    guessing: 0.5,
    ceiling: hidesUpdates({ mode }) ? CEILING : null,
    ...cohortCoverOf({ ...lab.guarded, mode }),
    note: `${TRIED} cohorts of ${COHORT} patients with more ${sides.feature} and as many with less; ${2 * KNOWN} known ones`,
  })
}

interface Sides {
  readonly feature: string
  readonly above: readonly number[]
  readonly below: readonly number[]
}

/** Of the features the one that splits the rows most evenly. */
function sidesOf({ rows }: Lab): Sides | null {
  const width = rows.columns.length
  const split = rows.columns.map((feature, j): Sides => {
    const values = Array.from({ length: rows.rows }, (_, i) => rows.values[i * width + j] as number)
    const median = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
    const all = values.map((_, i) => i)
    return { feature, above: all.filter((i) => (values[i] as number) > median), below: all.filter((i) => (values[i] as number) < median) }
  })
  const best = split.reduce((a, b) => (Math.min(b.above.length, b.below.length) > Math.min(a.above.length, a.below.length) ? b : a))
  return Math.min(best.above.length, best.below.length) >= COHORT ? best : null
}

async function area(lab: Lab, protocol: Protocol, sides: Sides, masks: number): Promise<Measured> {
  const model = await firstModel(lab, protocol)
  const known: KnownUpdate[] = []
  for (let i = 0; i < 2 * KNOWN; i++) known.push({ values: await vectorOf(lab, protocol, model, sides, i % 2 === 0, masks), has: i % 2 === 0 })
  const tried = async (has: boolean): Promise<Float64Array[]> => {
    const vectors: Float64Array[] = []
    for (let i = 0; i < TRIED; i++) vectors.push(await vectorOf(lab, protocol, model, sides, has, masks))
    return vectors
  }
  const found = separationOf({ members: propertyScores(known, await tried(true)), others: propertyScores(known, await tried(false)) })
  return found === null ? { value: 0.5, low: 0, high: 1 } : { value: found.area, ...found.areaInterval }
}

async function vectorOf(lab: Lab, protocol: Protocol, model: Model, { above, below }: Sides, has: boolean, masks: number): Promise<Float64Array> {
  const [more, less] = has ? [above, below] : [below, above]
  const cohort = [...drawn(lab, more, HAVING), ...drawn(lab, less, COHORT - HAVING)]
  const sent = await whatLeaves(lab, protocol, model, rowsAt(lab.rows, cohort), masks)
  return Float64Array.from({ length: sent.length }, (_, i) => sent.at(i))
}

function drawn({ tools: { coin } }: Lab, from: readonly number[], count: number): number[] {
  const left = [...from]
  return Array.from({ length: count }, () => left.splice(Math.floor(coin.uniform() * left.length), 1)[0] as number)
}
