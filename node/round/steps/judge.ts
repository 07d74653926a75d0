import { EMPTY, sizeOf } from '#base/bitmap.ts'
import type { Bitmap } from '#base/ids.ts'
import { withSalt } from '#core/masking/drawn-groups.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { sumOfGroups } from '#core/ring/grouped.ts'
import type { SumValues } from '#core/ring/vectors.ts'
import { isDrawn, maskedOf } from '#round/masking/masked-round.ts'
import { isSmall } from '../custody.ts'
import { keepLatest } from '../memo.ts'
import type { Play, Round } from '../play.ts'
import { judgeDrawn } from './judge-drawn.ts'
import { isLarge, type Judgement, refusal, refusedStep, type Step } from './judgement.ts'
import { withinBounds } from './tolerance.ts'
import { wereTorn } from './torn.ts'
import { votesAgainst } from './vote.ts'

/**
 * The learner's step. A sum beyond what the protocol's bounds allow is refused, and so is a model that this site's own rows speak against: the base stays,
 * and its refusals go up by one. So is each that follows one over which votes divided the sites.
 */
export async function judge(play: Play, round: Round, name: string, sum: Uint8Array): Promise<Judgement> {
  if (await wereTorn(play, round)) return refusal(round, 'vote')
  if (isDrawn(play.study, round.base.model)) return judgeDrawn(play, round, name, sum)
  if (round.groups > 0) return judgeGroups(play, round, name, sum)
  const step = salted(play, sum, await stepOf(play, round, name, sum, round.view.round.included))
  if (step.status === 'refused') return refusal(round, 'bounds')
  return (await votesAgainst(play, round, step.model)) ? refusal(round, 'vote') : { step, refusal: null, leftOut: [] }
}

/** The first round of a run in groups leads to a model that nobody could foresee. */
function salted({ study, site }: Play, sum: Uint8Array, step: Step): Step {
  return study.protocol.mode !== 'groups' || step.status === 'refused' ? step : { ...step, model: withSalt(step.model, sum, site.sha256) }
}

/**
 * Groups whose sum is beyond the bounds are left out by all. If what is left is still worse on this site's rows, so are those that alone make it worse. At
 * least half of the groups must hold. Sites may judge groups otherwise than each other: where no word got a majority before, this one refuses.
 */
async function judgeGroups(play: Play, round: Round, name: string, sum: Uint8Array): Promise<Judgement> {
  const sets = (maskedOf(play, round).groups?.sets ?? []).map((set) => (set & round.view.round.included) as Bitmap)
  const layout = play.study.learner.layout(round.base.model)
  const sitesIn = (groups: readonly number[]): Bitmap => groups.reduce((all, group) => (all | (sets[group] as Bitmap)) as Bitmap, EMPTY)
  const step = (groups: readonly number[]): Promise<Step> => stepOf(play, round, `${name} ${groups}`, sumOfGroups(sum, layout, groups), sitesIn(groups))
  const isAgainst = async (groups: readonly number[]): Promise<boolean> => votesAgainst(play, round, (await step(groups)).model)
  const leftOut = (groups: readonly number[], why: 'bounds' | 'vote') => sets.flatMap((sites, group) => (groups.includes(group) ? [{ sites, why }] : []))

  const all = sets.map((_, group) => group)
  const sound = all.filter((group) => valuesOf(play, round, sumOfGroups(sum, layout, [group]), sitesIn([group])) !== null)
  if (2 * sound.length < all.length) return refusal(round, 'bounds')
  const beyond = leftOut(without(all, sound), 'bounds')
  if (!(await isAgainst(sound))) return { step: await step(sound), refusal: null, leftOut: beyond }
  const holding = (await wereDivided(play, round)) ? [] : await keptBy(sound, async (group) => !(await isAgainst([group])))
  if (2 * holding.length < all.length || holding.length === sound.length || (await isAgainst(holding))) return refusal(round, 'vote')
  return { step: await step(holding), refusal: null, leftOut: [...beyond, ...leftOut(without(sound, holding), 'vote')] }
}

const without = (all: readonly number[], kept: readonly number[]): number[] => all.filter((group) => !kept.includes(group))

async function keptBy(groups: readonly number[], holds: (group: number) => Promise<boolean>): Promise<number[]> {
  const kept: number[] = []
  for (const group of groups) if (await holds(group)) kept.push(group)
  return kept
}

/** Whether an earlier publication of this round was discarded though it was the true sum. */
async function wereDivided({ site }: Play, { run, round, view }: Round): Promise<boolean> {
  const discarded = await site.chain.events(view.round.openedAtBlock, { run, kinds: ['PublicationDiscarded'] })
  return discarded.some((e) => e.kind === 'PublicationDiscarded' && e.round === round && !e.wrongSum)
}

/** Sites of one process take a step once for all: of a large model they hold one. A small sum may lead to a large model too. */
async function stepOf(play: Play, round: Round, name: string, sum: Uint8Array, sites: Bitmap): Promise<Step> {
  const { memo } = play.site
  const step = async (): Promise<Step> => {
    const values = valuesOf(play, round, sum, sites)
    return values === null ? refusedStep(round) : play.study.learner.advance(round.base.model, values)
  }
  if (!isSmall(round.layout) && memo.isShared !== true) return step()
  const key = `advance ${name}`
  const taken = await memo.once(key, step)
  if (isLarge(taken.model)) keepLatest(memo, key)
  return taken
}

/** Null of a sum beyond the protocol's bounds. */
function valuesOf(play: Play, { base }: Round, sum: Uint8Array, sites: Bitmap): SumValues | null {
  const layout = play.study.learner.layout(base.model)
  const values = decodeSum(sum, layout, sizeOf(sites))
  return withinBounds(layout, values) ? values : null
}
