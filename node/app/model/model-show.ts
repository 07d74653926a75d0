import { namedParticipation } from '#app/audit/participation.ts'
import { readShares } from '#app/audit/participation-shares.ts'
import { readRoundNotes } from '#app/node/round-notes.ts'
import { type RoundStory, roundStories } from '#app/node/round-story.ts'
import { type ChosenModel, chooseModel } from '#app/node/run-choice.ts'
import { stagesOf } from '#app/node/run-stages.ts'
import { curvesOf, type ResultsView, type RoundLine, viewOf } from '#app/results/results.ts'
import { trainAlone } from '#app/simulate/simulate-alone.ts'
import { isBinary, metricsOf, privateIntercepts, scored } from '#app/simulate/simulate-metrics.ts'
import { type AtSite, atSite, consentedNow } from '#app/site/at-site.ts'
import { nameOf } from '#app/site/site-view.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { isRotaError } from '#base/errors.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { type ToldError, toldError } from '../told-error.ts'
import { heldModel } from './model-shelf.ts'

export interface ShownModel {
  readonly site: string
  readonly chosen: ChosenModel
  readonly view: ResultsView
  /** Why this site's own rows are not judged; null when they are, or the study has nothing to judge. */
  readonly ownProblem: ToldError | null
}

/**
 * Results of a run's newest model, and what it is worth at this site: on its own test rows, beside the model that it would have
 * alone. These parts are worked out here from rows that never leave.
 */
export function showModel(call: StudyCall, run: string | undefined, onStep: (text: string) => void = () => {}): Promise<ShownModel> {
  return atSite(call, async (site) => {
    const chosen = await chooseModel(site, run, call.signal)
    onStep('reading the rounds')
    const events = await site.chain.events(0)
    const stories = roundStories(events, chosen.run).filter(({ state }) => state === 'closed')
    const notes = readRoundNotes(site.folder.paths.rounds)
    const told = await readShares(site.folder.paths.shares)
    const participation = namedParticipation(events, chosen.run, nameOf(site.sites), { site: site.own.id, notes, told })
    const stages = await stagesOf(
      site.shelf,
      chosen.run,
      stories.map(({ baseRoot }) => baseRoot),
      call.signal,
    )
    const rounds = stories.map((story, i) => roundLine(story, stages[i] ?? '', nameOf(site.sites)))
    const fit = stories[stages.indexOf('fit')]
    onStep('judging it with the rows of this site')
    const own = await ownPart(site, chosen, fit, call.signal)
    const pooled = viewOf(chosen.model, chosen.protocol)
    const test = own.test === undefined ? pooled.test : { pooled: pooled.test?.pooled ?? metricsOf(chosen.protocol, []), sites: own.test }
    return { site: site.own.name, chosen, ownProblem: own.problem, view: { ...pooled, ...own.view, test, rounds, participation } }
  })
}

const roundLine = (story: RoundStory, stage: string, name: (id: number) => string): RoundLine => ({
  round: story.round,
  stage,
  leader: name(story.publisher ?? story.leader),
  included: story.included.map(name),
  missing: story.missing.map(name),
  seconds: story.endedAt === null ? null : story.endedAt - story.openedAt,
  baseRoot: story.baseRoot,
  modelRoot: story.modelRoot ?? story.baseRoot,
})

interface OwnPart {
  readonly view: Partial<ResultsView>
  readonly test?: NonNullable<ResultsView['test']>['sites']
  readonly problem: ToldError | null
}

async function ownPart(site: AtSite, chosen: ChosenModel, fit: RoundStory | undefined, signal: AbortSignal): Promise<OwnPart> {
  if (chosen.protocol.learner.kind === 'statistics') return { view: {}, problem: null }
  try {
    const { table } = await consentedNow(site, chosen.protocol)
    return await judged(site, chosen, table, fit, signal)
  } catch (error) {
    if (!isRotaError(error)) throw error
    return { view: {}, problem: toldError(error) }
  }
}

async function judged(site: AtSite, { model, protocol }: ChosenModel, table: SplitTable, fit: RoundStory | undefined, signal: AbortSignal): Promise<OwnPart> {
  const { name } = site.own
  const tables = new Map([[name, table]])
  const part = scored(model, protocol, table.test, table.train)
  const scale = fit === undefined ? null : await heldModel(site.shelf, fit.run, fit.baseRoot, signal)
  const alone = scale !== null && fitsAlone(protocol, table) ? await trainAlone(protocol, tables, scale, { signal }) : null
  return {
    view: {
      siteIntercepts: privateIntercepts(model, protocol, tables),
      alone,
      curves: part !== null && isBinary(protocol) && part.scores.length > 0 ? curvesOf(`the test rows of ${name}`, part.scores, part.outcomes) : null,
    },
    test: { [name]: metricsOf(protocol, [part]) },
    problem: null,
  }
}

/** A network of one's own would take as long as the whole run did. */
const fitsAlone = ({ learner, cohort }: Protocol, { train }: SplitTable): boolean => learner.kind !== 'neural' && train.rows >= cohort.minRows
