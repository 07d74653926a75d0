import { sitesOf } from '#base/bitmap.ts'
import type { Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'

/** One round as the log tells it. */
export interface RoundStory {
  readonly run: RunId
  readonly round: RoundNo
  readonly state: 'open' | 'closed' | 'refused' | 'void' | 'halted'
  readonly leader: SiteId
  /** Who published the sum that closed it: another than the leader when a standby took over. */
  readonly publisher: SiteId | null
  readonly rota: readonly SiteId[]
  readonly included: readonly SiteId[]
  readonly missing: readonly SiteId[]
  readonly abstained: readonly { readonly site: SiteId; readonly reason: number }[]
  readonly discarded: readonly SiteId[]
  readonly attempts: number
  readonly openedAt: number
  readonly endedAt: number | null
  readonly baseRoot: Digest
  readonly modelRoot: Digest | null
  readonly finished: boolean
}

/** Rounds of one run in order, from its events alone. */
export function roundStories(events: readonly ChainEvent[], run: RunId): readonly RoundStory[] {
  const stories: Mutable[] = []
  let halted = false
  const of = (round: RoundNo) => stories.findLast((s) => s.round === round)
  for (const e of events) {
    if (!('run' in e) || e.run !== run) continue
    if (e.kind === 'RoundOpened') stories.push(opened(e))
    else if (e.kind === 'RunStateChanged') halted = e.state === 'Halted' || e.state === 'Ended'
    else if ('round' in e) tell(of(e.round), e)
    if (halted) for (const story of stories) end(story, 'halted', e.timestamp)
  }
  return stories
}

type Mutable = { -readonly [K in keyof RoundStory]: RoundStory[K] }
type Opened = Extract<ChainEvent, { kind: 'RoundOpened' }>

const opened = (e: Opened): Mutable => ({
  run: e.run,
  round: e.round,
  state: 'open',
  leader: e.leader,
  publisher: null,
  rota: e.rota,
  included: [],
  missing: [],
  abstained: [],
  discarded: [],
  attempts: 0,
  openedAt: e.timestamp,
  endedAt: null,
  baseRoot: e.baseRoot,
  modelRoot: null,
  finished: false,
})

function tell(story: Mutable | undefined, e: ChainEvent): void {
  if (story === undefined) return
  switch (e.kind) {
    case 'Abstained':
      story.abstained = [...story.abstained, { site: e.site, reason: e.reason }]
      break
    case 'Frozen':
      story.included = sitesOf(e.included)
      story.missing = story.rota.filter((site) => !story.included.includes(site))
      break
    case 'Published':
      story.publisher = e.site
      story.attempts += 1
      break
    case 'PublicationDiscarded':
      story.discarded = [...story.discarded, e.publisher]
      story.publisher = null
      break
    case 'Disputed':
      // A closed round is open again, unless its run was halted; PublicationDiscarded follows.
      Object.assign(story, { state: 'open', endedAt: null, modelRoot: null, finished: false })
      break
    case 'RoundClosed':
      end(story, 'closed', e.timestamp)
      story.modelRoot = e.modelRoot
      story.finished = e.status === 'finished'
      break
    case 'RoundRefused':
      end(story, 'refused', e.timestamp)
      break
    case 'RoundVoid':
      end(story, 'void', e.timestamp)
      break
  }
}

function end(story: Mutable | undefined, state: RoundStory['state'], at: number): void {
  if (story === undefined || story.state !== 'open') return
  story.state = state
  story.endedAt = at
}
