import { EMPTY, sizeOf } from '#base/bitmap.ts'
import type { Bitmap } from '#base/ids.ts'
import { medianModel } from '#core/learner/group-median.ts'
import type { Advance } from '#core/learner/learner.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { sumOfGroups } from '#core/ring/grouped.ts'
import { maskedOf } from '#round/masking/masked-round.ts'
import { isSmall } from '../custody.ts'
import type { Play, Round } from '../play.ts'
import { isLarge, type Judgement, refusal } from './judgement.ts'
import { withinBounds } from './tolerance.ts'
import { votesAgainst } from './vote.ts'

/**
 * In a study in groups: each group's sum leads to a model as if the round had been among its sites, and the round to the one in the middle of these. A group
 * whose sum is beyond the bounds, or leads to another stage than most, is left out. More than half of all groups must be left: else the base is kept.
 */
export async function judgeDrawn(play: Play, round: Round, name: string, sum: Uint8Array): Promise<Judgement> {
  const sets = (maskedOf(play, round).groups?.sets ?? []).map((set) => (set & round.view.round.included) as Bitmap)
  const { memo } = play.site
  const take = async (): Promise<Middle> => middleOf(play, round, sets, sum)
  const { step, left } = isSmall(round.layout) ? await memo.once(`middle ${name}`, take) : await take()
  if (step !== null && isLarge(step.model)) memo.forget(`middle ${name}`)
  const leftOut = sets.flatMap((sites, group) => (left.has(group) || sites === EMPTY ? [] : [{ sites, why: 'bounds' as const }]))
  if (step === null) return { ...refusal(round, 'bounds'), leftOut }
  if (await votesAgainst(play, round, step.model)) return refusal(round, 'vote')
  return { step, refusal: null, leftOut }
}

interface Middle {
  /** Null where too few groups are left. */
  readonly step: Advance | null
  /** Groups that are in it; else those inside the bounds. */
  readonly left: ReadonlySet<number>
}

function middleOf(play: Play, round: Round, sets: readonly Bitmap[], sum: Uint8Array): Middle {
  const steps = sets.map((sites, group) => stepOf(play, round, sites, sum, group))
  const groups = [...sets.keys()].filter((group) => sets[group] !== EMPTY)
  const inside = groups.filter((group) => steps[group] !== null)
  const kinds = Map.groupBy(inside, (group) => `${steps[group]?.status} ${steps[group]?.model.stage}`)
  const most = [...kinds.values()].find((alike) => 2 * alike.length > groups.length) ?? []
  const [first, ...others] = most.map((group) => steps[group] as Advance)
  if (first === undefined) return { step: null, left: new Set(inside) }
  const model = medianModel(
    [first, ...others].map((step) => step.model),
    round.base.model,
  )
  return { step: { model, status: first.status }, left: new Set(most) }
}

/** Null of a group whose sum is beyond the bounds, and of none. */
function stepOf({ study }: Play, { base }: Round, sites: Bitmap, sum: Uint8Array, group: number): Advance | null {
  if (sites === EMPTY) return null
  const layout = study.learner.layout(base.model)
  const values = decodeSum(sumOfGroups(sum, layout, [group]), layout, sizeOf(sites))
  return withinBounds(layout, values) ? study.learner.advance(base.model, values) : null
}
