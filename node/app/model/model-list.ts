import { type AtSite, atSite } from '#app/site/at-site.ts'
import type { StudyCall } from '#app/study/studies.ts'
import type { Digest, RoundNo, RunId, StudyId } from '#base/ids.ts'
import type { RunState, StudyRules } from '#ports/chain.ts'
import { END_KINDS, standingEnds } from '#round/round-ends.ts'
import { heldModel } from './model-shelf.ts'

export interface ListedModel {
  readonly run: RunId
  readonly study: StudyId
  /** Null while the protocol is not here. */
  readonly title: string | null
  /** Of the protocol; while that is not here, as the chain has it, which takes groups for masked. */
  readonly mode: StudyRules['mode']
  readonly state: RunState
  /** The round that made it; null for a run without a closed round, which stands at the initial model. */
  readonly round: RoundNo | null
  /** Null when the model is not here. */
  readonly stage: string | null
  readonly root: Digest
  readonly held: boolean
}

/** The newest model of every run, oldest run first. */
export const listModels = (call: StudyCall): Promise<readonly ListedModel[]> =>
  atSite(call, async (site) => {
    const runs = await site.chain.runs()
    return Promise.all(runs.map(({ run }) => listed(site, run, call.signal)))
  })

async function listed(site: AtSite, run: RunId, signal: AbortSignal): Promise<ListedModel> {
  const { study, state, model } = await site.chain.run(run)
  const [record, made, here, protocol] = await Promise.all([
    site.chain.study(study),
    site.chain.events(0, { run, kinds: END_KINDS }),
    heldModel(site.shelf, run, model.root, signal),
    site.shelf.protocol(study, signal).catch(() => null),
  ])
  const last = standingEnds(made).findLast((e) => e.kind !== 'RoundVoid' && e.modelRoot === model.root)
  return {
    run,
    study,
    title: protocol?.title ?? null,
    mode: protocol?.mode ?? record.rules.mode,
    state,
    round: last?.round ?? null,
    stage: here?.stage ?? null,
    root: model.root,
    held: here !== null,
  }
}
