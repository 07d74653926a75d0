import type { Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import type { VectorLayout } from '#core/ring/vectors.ts'
import type { RunView } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import { INLINE_LIMIT_BYTES } from '#wire/announce.ts'
import { createHoldings, type Holdings, type NamedUpdate } from './holdings.ts'
import { createMemo, type Memo } from './memo.ts'
import type { Site } from './site.ts'
import { type CohortWatch, watchCohort } from './steps/withdrawn.ts'
import { type BaseModel, initialModel, type Study } from './study.ts'

/** One run as this site plays it: what it remembers between two looks at the chain. */
export interface Play {
  readonly site: Site
  readonly study: Study
  readonly run: RunId
  /** The model the current round starts from, once this site has it. */
  base: BaseModel | null
  /** The model that this site last attested: the next base, if the others agree. */
  attested: BaseModel | null
  /** The root of the cohort that this site contributed with in this run; null before. */
  cohortRoot: Digest | null
  /** The current round's updates. */
  updates: ReadonlyMap<SiteId, NamedUpdate>
  holdings: Holdings | null
  /** The latest sum of large updates; small ones are remembered for the whole process. */
  large: Memo
  readonly cohortWatch: CohortWatch
  /** Code of the trouble that was last told and has not passed. */
  trouble: string | null
  /** Something changed: look at the chain again. */
  readonly wake: () => void
}

export const createPlay = (site: Site, study: Study, run: RunId, wake: () => void): Play => ({
  site,
  study,
  run,
  base: null,
  attested: null,
  cohortRoot: null,
  updates: new Map(),
  holdings: null,
  large: createMemo(1),
  cohortWatch: watchCohort(),
  trouble: null,
  wake,
})

/** A round's fixed surroundings: its base model, the layout of its vectors and the key of its objects. */
export interface Round {
  readonly run: RunId
  readonly round: RoundNo
  readonly base: BaseModel
  readonly layout: VectorLayout
  readonly key: EpochKey
  readonly view: RunView
}

export async function openRound(play: Play, view: RunView, signal: AbortSignal): Promise<Round> {
  const base = play.base ?? initialModel(play.study, play.site)
  return {
    run: view.run,
    round: view.round.round,
    base,
    layout: play.study.learner.layout(base.model),
    key: await play.study.keys.key(view.round.epoch, signal),
    view,
  }
}

/** Small updates travel inline to every member, who each add them up; large ones only to the custodians. */
export const isSmall = (layout: VectorLayout): boolean => vectorBytes(layout) + 16 <= INLINE_LIMIT_BYTES

/** Looks up which updates the chain names in this round, and starts to fetch those that this site will add. */
export async function followUpdates(play: Play, round: Round): Promise<void> {
  const events = await play.site.chain.events(round.view.round.openedAtBlock, { run: round.run, kinds: ['Contributed'] })
  const updates = new Map<SiteId, NamedUpdate>()
  for (const e of events) if (e.kind === 'Contributed' && e.round === round.round) updates.set(e.site, { site: e.site, root: e.root, cid: e.cid })
  // A chain that went back may name other updates for the same round: what was held then counts for nothing.
  const replaced = [...play.updates].some(([site, { root }]) => updates.get(site)?.root !== root)
  play.updates = updates
  if (replaced || play.holdings?.round !== round.round) {
    play.holdings?.stop()
    play.holdings = createHoldings(play.site, round, play.wake)
    play.large = createMemo(1)
  }
  if (adds(play, round)) play.holdings.want([...updates.values()])
}

/** Everybody re-adds small updates; of large ones the custodians do, and whoever has to publish. */
export function adds(play: Play, round: Round): boolean {
  if (isSmall(round.layout)) return true
  const { rota, turn, custodianPlaces } = round.view.round
  const index = rota.indexOf(play.site.id)
  return index >= 0 && (index - turn + rota.length) % rota.length < (custodianPlaces[0] ?? 0)
}
