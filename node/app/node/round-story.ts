import { studyMembers, studyOf } from '#audit/study-members.ts'
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
  /** Of the rota, and of those who belong to the run and do not stand in it (audit/study-members.ts); none before the set was frozen. */
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

/** Rounds of one run in order. @param events of the whole chain; the run's alone do not tell of a site that never stood in its rota */
export function roundStories(events: readonly ChainEvent[], run: RunId): readonly RoundStory[] {
  const stories: Mutable[] = []
  const members = studyMembers(studyOf(events, run))
  const known = new Set<SiteId>()
  let halted = false
  const of = (round: RoundNo) => stories.findLast((s) => s.round === round)
  for (const e of events) {
    members.take(e)
    if (!('run' in e) || e.run !== run) continue
    if (e.kind === 'RoundOpened') {
      const outside = [...members.outside(e.rota, known).keys()]
      stories.push(opened(e, outside))
      for (const site of [...e.rota, ...outside]) known.add(site)
    } else if (e.kind === 'RunStateChanged') halted = e.state === 'Halted' || e.state === 'Ended'
    else if ('round' in e) tell(of(e.round), e)
    if (halted) for (const story of stories) end(story, 'halted', e.timestamp)
  }
  return stories.map(({ outside, ...story }) => story)
}

type Mutable = { -readonly [K in keyof RoundStory]: RoundStory[K] } & { readonly outside: readonly SiteId[] }
type Opened = Extract<ChainEvent, { kind: 'RoundOpened' }>

const opened = (e: Opened, outside: readonly SiteId[]): Mutable => ({
  outside,
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
      story.missing = [...story.rota, ...story.outside].filter((site) => !story.included.includes(site))
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
