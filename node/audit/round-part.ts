import { has } from '#base/bitmap.ts'
import { type RoundNo, type SiteId, siteId } from '#base/ids.ts'
import { ABSTAIN_REASONS, type AbstainReason, type ChainEvent } from '#ports/chain.ts'
import type { EventOf } from './run-log.ts'
import type { Outside, StudyMembers } from './study-members.ts'

/**
 * What became of a site in one round. The chain cannot tell a slow site from a dead one; what it shows is whether the site did
 * anything between the limit that it missed and the end of the next round's contributing.
 */
export type Fate =
  /** In the frozen set. */
  | 'in'
  /** Nothing came before the limit for contributing; the site acted later. */
  | 'late'
  /** Nothing came, then or later. */
  | 'silent'
  /** It had missed the round before, so that nobody waited for it, and it did not come in time by itself. */
  | 'notAwaited'
  /** It contributed, and too few custodians got hold of the update in time. */
  | 'notHeld'
  /** It said that it would not take part, in this round or in the one from which on nobody waited for it. */
  | 'abstained'
  /** It contributed to a round that came to nothing. */
  | 'void'
  /** The round is not so far yet. */
  | 'open'
  /** It belongs to the run and did not stand in the rota; or it did, and ceased to be a member before it contributed or the set was frozen. */
  | Outside

export interface SiteFate {
  readonly site: SiteId
  readonly fate: Fate
  /** Of an abstention. */
  readonly reason: AbstainReason | null
}

/** One round: who was in, who was not and why, who led and who had to. */
export interface RoundPart {
  readonly round: RoundNo
  readonly state: 'open' | 'closed' | 'refused' | 'void' | 'halted'
  readonly leader: SiteId
  /** One of each site of the rota, in its order; then of each that stood in an earlier one of the run, or is approved for the study, and is not in this one. */
  readonly fates: readonly SiteFate[]
  /** In the order of attempts. */
  readonly publications: readonly { readonly site: SiteId; readonly discarded: 'no' | 'no majority' | 'wrong sum' }[]
  /** Their turn to publish came and went. */
  readonly passedOver: readonly SiteId[]
  /** Whose turn to lead was stepped over, since they had missed an earlier one. */
  readonly steppedOver: readonly SiteId[]
  /** Had the limit for contributing begin anew. */
  readonly askedForTime: SiteId | null
  readonly witnessed: readonly SiteId[]
  readonly attested: readonly SiteId[]
  /** Chain seconds from the opening to the site's contribution. */
  readonly contributedAfter: readonly { readonly site: SiteId; readonly seconds: number }[]
}

/** A round as it is gathered from the log, before it is known what came after it. */
export interface Gathered {
  readonly opened: EventOf<'RoundOpened'>
  readonly outside: ReadonlyMap<SiteId, Outside>
  state: RoundPart['state']
  /** Whether a publication is awaited. */
  isPublishing: boolean
  contributingOver: boolean
  readonly contributed: Map<SiteId, number>
  readonly abstained: Map<SiteId, AbstainReason>
  /** Of the rota: who was no member any more when contributing ended, and when the set was frozen. */
  goneAtEnd: Gone
  goneAtFreeze: Gone
  /** Said that they are there, though nobody waited for them. */
  readonly ready: Set<SiteId>
  askedForTime: SiteId | null
  frozen: EventOf<'Frozen'> | null
  publications: RoundPart['publications']
  readonly passedOver: SiteId[]
  readonly witnessed: Set<SiteId>
  readonly attested: Set<SiteId>
  firstPlace: number
}

type Gone = ReadonlyMap<SiteId, Outside>

/** @param outside who belongs to the run and is not in the rota */
export const gather = (opened: EventOf<'RoundOpened'>, outside: ReadonlyMap<SiteId, Outside>): Gathered => ({
  opened,
  outside,
  state: 'open',
  isPublishing: false,
  contributingOver: false,
  contributed: new Map(),
  abstained: new Map(),
  goneAtEnd: new Map(),
  goneAtFreeze: new Map(),
  ready: new Set(),
  askedForTime: null,
  frozen: null,
  publications: [],
  passedOver: [],
  witnessed: new Set(),
  attested: new Set(),
  firstPlace: 0,
})

/** Takes an event of this round in. @param members as they are then */
export function take(round: Gathered, e: ChainEvent, members: Pick<StudyMembers, 'goneBy'>): void {
  switch (e.kind) {
    case 'Contributed':
      round.contributed.set(e.site, e.timestamp - round.opened.timestamp)
      break
    case 'Abstained':
      round.abstained.set(e.site, ABSTAIN_REASONS[e.reason] ?? 'unspecified')
      break
    case 'ContributingExtended':
      round.askedForTime = e.site
      break
    case 'PhaseBegan':
      round.isPublishing = e.phase === 'Publishing'
      if (e.phase !== 'Keying' && e.phase !== 'Contributing') endContributing(round, members)
      break
    case 'Witnessed':
      round.witnessed.add(e.site)
      break
    case 'Frozen':
      round.frozen = e
      round.goneAtFreeze = goneOf(round, members)
      break
    case 'Published':
      missTurns(round, placeOf(round, e.site))
      round.publications = [...round.publications, { site: e.site, discarded: 'no' }]
      break
    case 'PublicationDiscarded':
      round.publications = round.publications.with(-1, { site: e.publisher, discarded: e.wrongSum ? 'wrong sum' : 'no majority' })
      round.firstPlace = placeOf(round, e.publisher) + 1
      break
    case 'Attested':
      round.attested.add(e.site)
      break
    case 'Disputed':
      // That the publication is discarded follows.
      if (round.state === 'closed') round.state = 'open'
      break
    case 'RoundClosed':
      round.state = 'closed'
      break
    case 'RoundRefused':
      round.state = 'refused'
      break
    case 'RoundVoid':
      if (e.phase === 'Publishing') missTurns(round, round.opened.rota.length)
      endContributing(round, members)
      round.state = 'void'
      break
  }
}

function endContributing(round: Gathered, members: Pick<StudyMembers, 'goneBy'>): void {
  if (!round.contributingOver) round.goneAtEnd = goneOf(round, members)
  round.contributingOver = true
}

function goneOf({ opened }: Gathered, { goneBy }: Pick<StudyMembers, 'goneBy'>): Gone {
  return new Map(
    opened.rota.flatMap((site) => {
      const why = goneBy(site)
      return why === null ? [] : [[site, why] as const]
    }),
  )
}

/** It could not be published this time, without being void: after the pause it is published anew, from the first place on. */
export function stay(round: Gathered): void {
  if (round.isPublishing) missTurns(round, round.opened.rota.length)
  round.isPublishing = false
  round.firstPlace = 0
}

/** @param before, after the rounds around it in the same run */
export function finish(round: Gathered, before: RoundPart | undefined, after: Gathered | undefined): RoundPart {
  const { opened } = round
  return {
    round: opened.round,
    state: round.state,
    leader: opened.leader,
    fates: [
      ...opened.rota.map((site) => stillAbstaining({ site, fate: fateOf(round, after, site), reason: round.abstained.get(site) ?? null }, before)),
      ...[...round.outside].map(([site, fate]) => ({ site, fate, reason: null })),
    ],
    publications: round.publications,
    passedOver: [...new Set(round.passedOver)],
    steppedOver: before === undefined ? [] : between(opened.rota, before.leader, opened.leader),
    askedForTime: round.askedForTime,
    witnessed: [...round.witnessed],
    attested: [...round.attested],
    contributedAfter: [...round.contributed].map(([site, seconds]) => ({ site, seconds })),
  }
}

function fateOf(round: Gathered, after: Gathered | undefined, site: SiteId): Fate {
  const over = round.state !== 'open'
  if (round.frozen !== null && has(round.frozen.included, site)) return 'in'
  if (round.abstained.has(site)) return 'abstained'
  if (round.contributed.has(site)) {
    if (round.frozen !== null) return round.goneAtFreeze.get(site) ?? 'notHeld'
    return over ? 'void' : 'open'
  }
  if (!round.contributingOver) return round.state === 'halted' ? 'void' : 'open'
  const gone = round.goneAtEnd.get(site)
  if (gone !== undefined) return gone
  if (!has(round.opened.awaited, site)) return 'notAwaited'
  const actedHere = round.witnessed.has(site) || round.publications.some((made) => made.site === site)
  const actedNext = after?.contributed.has(site) || after?.abstained.has(site) || after?.ready.has(site)
  return actedHere || actedNext || round.ready.has(site) ? 'late' : 'silent'
}

/** Nobody waits for a site that abstained the last time, so it need not say it again in time. */
function stillAbstaining(now: SiteFate, before: RoundPart | undefined): SiteFate {
  const last = now.fate === 'notAwaited' ? before?.fates.find(({ site }) => site === now.site) : undefined
  return last?.fate === 'abstained' ? last : now
}

/** Counted from the turn. */
function placeOf({ opened: { rota, turn } }: Gathered, site: SiteId): number {
  const index = rota.indexOf(site)
  return index < 0 ? rota.length : (index - turn + rota.length) % rota.length
}

/** Whoever stood before this place in the attempt had its turn and let it pass. */
function missTurns(round: Gathered, place: number): void {
  const { rota, turn } = round.opened
  for (let k = round.firstPlace; k < place; k++) round.passedOver.push(rota[(turn + k) % rota.length] ?? siteId(0))
}

/** Sites of the rota after `last` and before `leader`, going round. */
function between(rota: readonly SiteId[], last: SiteId, leader: SiteId): readonly SiteId[] {
  const inOrder = [...rota.filter((site) => site > last), ...rota.filter((site) => site <= last)]
  return inOrder.slice(0, Math.max(0, inOrder.indexOf(leader)))
}
