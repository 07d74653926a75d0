import { likelihoodRatios } from '#core/evidence/likelihood-ratio.ts'
import { type AttackScores, mostArea, mostFound } from '#core/evidence/privacy-region.ts'
import { type Separation, separationOf } from '#core/evidence/separation.ts'
import type { Measured } from '#core/evidence/verdict.ts'
import { isPrivate } from '#core/protocol/private-rounds.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { type Evidence, judged, type Outcome, promiseOf } from './evidence.ts'
import { confidencesOf, fit, type Lab, rowsAt } from './lab.ts'

const FALSE_POSITIVES = 0.01

interface Shadow {
  readonly members: ReadonlySet<number>
  readonly confidence: readonly number[]
}

type Scores = Readonly<Record<Way, AttackScores>>

/**
 * Tells whom a model was trained on. Each record is in a model by a coin of its own. By loss: a model is surest of what it was trained on (Yeom et al. 2018,
 * arXiv:1709.01604). By likelihood ratio: how sure it is, against models with the record and models without (Carlini et al. 2022, arXiv:2112.03570).
 * Each model is the target once, and a shadow of all others. Models share records, so that their scores hang together a little: intervals are as if they did not.
 */
export async function membershipAttack(lab: Lab, models: number, ways: readonly Way[]): Promise<readonly Outcome[]> {
  const bare = await scoresOf(lab, lab.bare, models)
  if (bare === null) return ways.map((attack) => ({ attack, title: TITLES[attack], why: 'this learner foretells nothing about one row' }))
  const guarded = isPrivate(lab.guarded) ? await scoresOf(lab, lab.guarded, models) : null
  return ways.flatMap((attack) => judgedBoth(lab, attack, bare, guarded, models))
}

export type Way = 'loss' | 'likelihood'

const TITLES = { loss: 'Membership by loss: who was trained on', likelihood: 'Membership by likelihood ratio: who was trained on' } as const

function judgedBoth(lab: Lab, attack: Way, bare: Scores, guarded: Scores | null, models: number): Evidence[] {
  const { privacy } = lab.guarded
  const [before, after] = [separationOf(bare[attack], FALSE_POSITIVES), guarded && separationOf(guarded[attack], FALSE_POSITIVES)]
  if (before === null) return []
  const common = { attack, title: TITLES[attack], ...promiseOf(lab.guarded) }
  const note = `${models} models of half of ${lab.rows.rows} records each: ${before.members} members, ${before.others} others`
  const area = judged({
    ...common,
    figure: 'area under the curve',
    unprotected: areaOf(before),
    protected: after && areaOf(after),
    guessing: 0.5,
    ceiling: privacy ? mostArea(privacy) : null,
    note,
  })
  // Losses alone are no way to be sure of anybody: what they find at few false alarms is guessing, whatever the model leaks.
  if (attack === 'loss') return [area]
  const found = judged({
    ...common,
    figure: 'members found at 1 % false alarms',
    unprotected: foundOf(before),
    protected: after && foundOf(after),
    guessing: FALSE_POSITIVES,
    ceiling: privacy ? mostFound(FALSE_POSITIVES, privacy) : null,
    note,
  })
  return [area, found]
}

const areaOf = ({ area, areaInterval }: Separation): Measured => ({ value: area, ...areaInterval })
const foundOf = ({ found, foundInterval }: Separation): Measured => ({ value: found, ...foundInterval })

async function scoresOf(lab: Lab, protocol: Protocol, models: number): Promise<Scores | null> {
  const all = Array.from({ length: lab.rows.rows }, (_, i) => i)
  const shadows: Shadow[] = []
  for (let k = 0; k < models; k++) {
    lab.tools.tell?.(`model ${k + 1} of ${models}${isPrivate(protocol) ? ' with noise' : ''}`)
    const members = all.filter(() => lab.tools.coin.uniform() < 0.5)
    const confidence = confidencesOf(await fit(lab, protocol, rowsAt(lab.rows, members)), protocol, lab.rows)
    if (confidence === null) return null
    shadows.push({ members: new Set(members), confidence })
  }
  const byLoss = shadows.map(({ confidence }) => confidence)
  const byRatio = shadows.map((target) =>
    ratiosOf(
      target,
      shadows.filter((other) => other !== target),
      all,
    ),
  )
  return { loss: pooled(shadows, byLoss), likelihood: pooled(shadows, byRatio) }
}

function ratiosOf(target: Shadow, others: readonly Shadow[], all: readonly number[]): readonly number[] {
  const sure = (shadow: Shadow, i: number): number => shadow.confidence[i] as number
  return likelihoodRatios(
    target.confidence,
    all.map((i) => ({
      with: others.filter(({ members }) => members.has(i)).map((other) => sure(other, i)),
      without: others.filter(({ members }) => !members.has(i)).map((other) => sure(other, i)),
    })),
  )
}

function pooled(shadows: readonly Shadow[], scores: readonly (readonly number[])[]): AttackScores {
  const of = (isMember: boolean): number[] =>
    shadows.flatMap(({ members }, k) => (scores[k] as readonly number[]).filter((_, i) => members.has(i) === isMember))
  return { members: of(true), others: of(false) }
}
