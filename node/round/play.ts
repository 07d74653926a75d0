import type { RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { Draw } from '#core/masking/drawn-groups.ts'
import { groupedLayout, partOf } from '#core/ring/grouped.ts'
import type { VectorLayout } from '#core/ring/vectors.ts'
import type { RunView } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import { cutOf, slicesToAdd } from './custody.ts'
import type { Lineage } from './lineage.ts'
import type { Dealing } from './masking/dealing.ts'
import type { MaskingMail } from './masking/mail.ts'
import { groupOf, isDrawn, isMasked, type MaskedRound, openMaskedRound } from './masking/masked-round.ts'
import { watchDraw } from './masking/study-draw.ts'
import type { RowName } from './next.ts'
import { isRelieved, type Relief } from './relief.ts'
import type { Site } from './site.ts'
import type { AddedSlices } from './steps/add-up.ts'
import type { Judged } from './steps/attest.ts'
import type { Contest } from './steps/contest.ts'
import { noWishes, type WishMemory } from './steps/wish.ts'
import { type CohortWatch, type CommittedCohort, watchCohort } from './steps/withdrawn.ts'
import { type BaseModel, initialModel, type Study } from './study.ts'
import type { Training } from './training.ts'
import type { AddingRound, NamedUpdate } from './updates/adding.ts'
import { createHoldings, type Holdings } from './updates/holdings.ts'
import { allStand, namedIn } from './updates/named.ts'
import type { Wishes } from './wishes.ts'
import type { Words } from './words.ts'

/** One run as this site plays it: what it remembers between two looks at the chain. */
export interface Play {
  readonly site: Site
  readonly study: Study
  readonly run: RunId
  /** The model the current round starts from, once this site has it. */
  base: BaseModel | null
  /** The model that this site last attested: the next base, if the others agree. */
  attested: BaseModel | null
  /** What this site committed to first in this run; null before. */
  committed: CommittedCohort | null
  /** What it trains, or has trained and not contributed yet. */
  training: Training | null
  /** Of which epoch it cannot have the key, and since when by its own clock. */
  keyless: { readonly epoch: number; readonly sinceMs: number } | null
  /** The current round's updates. */
  updates: ReadonlyMap<SiteId, NamedUpdate>
  holdings: Holdings | null
  /** The round whose large updates it leaves to others, its disk being too full. */
  relief: Relief | null
  /** What this site added up of the current frozen set, of large updates; small ones are remembered for the whole process. */
  added: AddedSlices | null
  /** Of which attempt, and when by its own clock, this site last told the others what it added up. */
  told: { readonly attempt: string; readonly atMs: number } | null
  /** What this site made of a publication: said again when the call is lost, not worked out again. */
  judged: Judged | null
  /** How disputing what it called wrong goes. */
  contest: Contest | null
  /** What custodians said of their slices. */
  readonly words: Words
  /** What members said in masked rounds. */
  readonly mail: MaskingMail
  /** The last pause that it saw over which a masked round stays, by the pause's block, and since when by its own clock. */
  paused: { readonly block: number; readonly seenMs: number; isTold: boolean } | null
  /** What this site did when it last looked, and in which round. */
  last: { readonly round: RoundNo; readonly row: RowName } | null
  /** The masked round that is open; null in an open study. */
  masked: MaskedRound | null
  /** Of a study in groups: who is with whom, by the log. */
  readonly draw: () => Promise<Draw | null>
  /** Keys and shares of the round after it, as far as they are exchanged. */
  ahead: Dealing | null
  readonly cohortWatch: CohortWatch
  /** What members said of halting, and what this site knows of it. */
  readonly said: Pick<Said, 'wishes'>
  readonly wishes: WishMemory
  /** Gives the run's lineage by the log, once this site had to follow it. */
  lineage: (() => Promise<Lineage>) | null
  /** Code of the trouble that was last told and has not passed. */
  trouble: string | null
  /** Something changed: look at the chain again. */
  readonly wake: () => void
}

export const createPlay = (site: Site, study: Study, run: RunId, { words, masking: mail, wishes }: Said, wake: () => void): Play => ({
  site,
  study,
  run,
  base: null,
  attested: null,
  committed: null,
  training: null,
  keyless: null,
  updates: new Map(),
  holdings: null,
  relief: null,
  added: null,
  told: null,
  judged: null,
  contest: null,
  words,
  mail,
  paused: null,
  last: null,
  masked: null,
  draw: watchDraw(site, study.id),
  ahead: null,
  cohortWatch: watchCohort(),
  said: { wishes },
  wishes: noWishes(),
  lineage: null,
  trouble: null,
  wake,
})

/** What members say that no object is named for. */
export interface Said {
  readonly words: Words
  readonly masking: MaskingMail
  readonly wishes: Wishes
}

/** A round's fixed surroundings: its base model, the layout of its vectors and the key of its objects. */
export interface Round {
  readonly run: RunId
  readonly round: RoundNo
  readonly base: BaseModel
  /** Of what sites send: the stage's, or as many parts of it as there are groups. */
  readonly layout: VectorLayout
  /** 0: one sum of all. */
  readonly groups: number
  readonly key: EpochKey
  readonly view: RunView
}

export async function openRound(play: Play, view: RunView, signal: AbortSignal): Promise<Round> {
  const base = play.base ?? initialModel(play.study, play.site)
  const stage = play.study.learner.layout(base.model)
  const mayBeCut = isMasked(play) && (base.model.refusals > 0 || isDrawn(play.study, base.model))
  const groups = mayBeCut ? ((await openMaskedRound(play, view))?.groups?.sets.length ?? 0) : 0
  return {
    run: view.run,
    round: view.round.round,
    base,
    layout: groups === 0 ? stage : groupedLayout(stage, groups),
    groups,
    key: await play.study.keys.key(view.round.epoch, signal),
    view,
  }
}

/** Looks up which updates the chain names in this round, and starts to fetch those that this site will add: none where others bear them for it. */
export async function followUpdates(play: Play, round: Round, relief: Relief | null = null): Promise<void> {
  const events = await play.site.chain.events(round.view.round.openedAtBlock, { run: round.run, kinds: ['Contributed'] })
  const { bySite: updates, list } = namedIn(events, round.round)
  // A chain that went back may name other updates for the same round: what was held then counts for nothing.
  const replaced = !allStand(play.updates, updates)
  play.updates = updates
  // Of a round in groups the log may not have shown that it is one.
  const isOurs = (of: AddingRound): boolean => of.round === round.round && of.layout.length === round.layout.length
  const wasRelieved = isRelieved(play, round)
  play.relief = relief
  const rests = isRelieved(play, round)
  if (replaced || play.holdings === null || !isOurs(play.holdings.round) || (rests && !wasRelieved)) {
    play.holdings?.stop()
    play.holdings = hold(play, round)
    play.added = null
    play.judged = null
  }
  const mine = rests ? [] : slicesToAdd(round.layout, round.view.round, play.site.id)
  if (mine.length > 0) play.holdings.want(list, mine)
}

/** Groups are final when updates are asked for. */
function ownParts(play: Play, { base, groups }: Round): Pick<AddingRound, 'ownPart'> {
  if (groups === 0) return {}
  const stage = play.study.learner.layout(base.model)
  const ownPart = (site: SiteId) => {
    const group = play.masked === null ? undefined : groupOf(play.masked, site)
    return group === undefined ? undefined : partOf(stage, group)
  }
  return { ownPart }
}

function hold(play: Play, round: Round): Holdings {
  const { site, wake } = play
  const adding = { ...round, cut: cutOf(round.layout, round.view.round), masked: isMasked(play), ...ownParts(play, round) }
  const make = (onHeld: () => void): Holdings => createHoldings(site, adding, onHeld)
  const together = adding.cut === 1 ? site.holdTogether : undefined
  return together?.(`${round.run}/${round.round}/${round.view.round.openedAtBlock}`, make, wake) ?? make(wake)
}
