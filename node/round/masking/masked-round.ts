import { bitmapOf, EMPTY, has } from '#base/bitmap.ts'
import { equalBytes, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, Digest, RunId, SiteId } from '#base/ids.ts'
import { DRAW } from '#core/learner/draw-stage.ts'
import { type MaskingRound, type MaskingTerms, maskingRound } from '#core/masking/context.ts'
import { type Draw, groupsOfDraw } from '#core/masking/drawn-groups.ts'
import { type MaskGraph, type Masks, maskGraph } from '#core/masking/graph.ts'
import { areLargeOf, groupsOfRefused, type MaskGroups, maskGroups } from '#core/masking/groups.ts'
import type { Disproof } from '#core/masking/rebuild.ts'
import type { Release } from '#core/masking/release.ts'
import type { Model } from '#core/model/model.ts'
import { isOneSum, leftOutOf } from '#core/model/refuse.ts'
import { hidesUpdates } from '#core/protocol/protocol.ts'
import type { ChainEvent, ChainReader, RunView } from '#ports/chain.ts'
import type { DealFile } from '#wire/masking/deal-file.ts'
import { type Justified, justifiedIn, sharesIn } from '#wire/masking/justification.ts'
import type { Play, Round } from '../play.ts'
import { END_KINDS, standingEnds } from '../round-ends.ts'
import { type BaseModel, nameModel } from '../study.ts'
import { type Dealing, NEVER, openDealing } from './dealing.ts'
import { tellOfVoid } from './void-round.ts'

type Opening = Extract<ChainEvent, { kind: 'RoundOpened' }>
export type Keying = Extract<ChainEvent, { kind: 'Keyed' }>
type Justifying = Extract<ChainEvent, { kind: 'Justified' }>

/** One masked round as this site sees it: what it is bound to, whose deals it holds, who shares a mask with whom. */
export interface MaskedRound extends Dealing {
  /** Of this very opening: a chain that went back may open the same round on another model. */
  readonly name: string
  readonly openedAtBlock: number
  readonly given: MaskingTerms
  readonly terms: MaskingRound
  /** As the chain shows them. */
  keyed: readonly Keying[]
  /** By site, those that hold: read once. */
  justified: ReadonlyMap<SiteId, Justified>
  /** What the graph was made of. */
  shownAs: string
  /** Whether these are all whose keys the round has, and all that justified themselves: the log may be a moment behind what else the chain shows, and masks follow from every one of them. */
  isShown: boolean
  /** Follows from these; final when Keying is over. Who holds whose shares. */
  graph: MaskGraph
  /** Who shares masks with whom: all neighbours in the graph, or those of the same group. */
  masks: Masks
  /** Of a study in groups, once its first round has closed. */
  readonly draw: Draw | null
  /** Of a round in groups, as `masks`. */
  groups: MaskGroups | null
  /** Of a round that repeats refused ones: frozen sets of these, whose sums were shown, but for sites that were left out, or have left the study since. */
  shown: readonly Bitmap[]
  /** Who may take part: a round is repeated among those who were in it, since one site more would be told by the difference of two sums. */
  among: Bitmap
  /** Groups of the first of those, of a round that is repeated in groups: the same however often, and whoever is there. */
  dealt: readonly Bitmap[]
  /** When this site saw the round first, and when it last said its shares, by its own clock. */
  readonly seenMs: number
  releasedMs: number
  /** What of what it keyed with was taken out of its journal: `heldDeals` of that. */
  restored: string
  /** Whether this site looked if it could contribute, before it keys. */
  isForeseen: boolean
  /** Its operators were told that a site is waited for. */
  isWarned: boolean
  /** And why nobody can unmask it. */
  isVoidTold: boolean
  /** Shares that were not enough: nothing is tried again before others come. */
  lacking: ReadonlySet<Release> | null
  /** What others showed of dealers whose seeds nobody can rebuild, by where it lies. */
  readonly heard: Map<Digest, readonly Disproof[]>
}

export const isMasked = ({ study }: Pick<Play, 'study'>): boolean => hidesUpdates(study.protocol)

/** Of the round's log; null while the chain does not show its opening. */
export async function openMaskedRound(play: Play, view: RunView): Promise<MaskedRound | null> {
  const { chain } = play.site
  const { round, openedAtBlock } = view.round
  const events = await chain.events(openedAtBlock, { run: view.run, kinds: ['RoundOpened', 'Keyed', 'Justified'] })
  const opened = events.findLast((e): e is Opening => e.kind === 'RoundOpened' && e.round === round)
  if (opened === undefined || opened.block !== openedAtBlock) return null
  const keyed = events.filter((e): e is Keying => e.kind === 'Keyed' && e.round === round)
  const justifying = events.filter((e): e is Justifying => e.kind === 'Justified' && e.round === round)
  const name = `${view.run}/${round}/${openedAtBlock} ${opened.opening} ${opened.awaited} ${opened.baseRoot}`
  const known = play.masked?.name === name ? play.masked : await begin(play, view, opened, name)
  const over = view.state === 'Paused' ? known : play.masked === known ? null : play.masked
  if (over !== null) await tellOfVoid(play, over)
  if (known.deals !== play.masked?.deals) play.masked?.deals.stop()
  play.masked = known
  known.isShown = setOf(keyed) === view.round.keyed && setOf(justifying) === view.round.justified
  const shown = nameOf(keyed, justifying)
  if (known.shownAs !== shown) {
    known.shownAs = shown
    known.keyed = keyed
    known.justified = justifiedIn(known.terms, keyed, justifying, play.site.masking)
    known.graph = maskGraph(known.terms, keyed, play.site.sha256, sharesIn(known.justified))
    known.groups = null
  }
  const base = play.base?.root === opened.baseRoot ? play.base : null
  const isRepeat = base !== null && (base.model.refusals > 0 || base.model.leftOut !== undefined)
  const refused = isRepeat ? await refusedSets(play) : []
  const stayed = (base === null ? EVERYBODY : EVERYBODY & ~leftOutOf(base.model)) as Bitmap
  known.among = refused.reduce((all, set) => (all & set) as Bitmap, stayed)
  known.dealt = base === null ? [] : groupsAmong(play, base, refused, (known.terms.members & known.among) as Bitmap)
  known.shown = refused.length === 0 ? [] : (await withoutLeft(play, refused)).map((set) => (set & stayed) as Bitmap)
  known.groups = groupsOf(play, known)
  known.masks = known.groups?.masks ?? known.graph
  return known
}

function groupsOf({ site, base, study }: Play, { draw, groups, graph, among, dealt, given }: MaskedRound): MaskGroups | null {
  if (base?.root !== given.baseRoot) return null
  if (isDrawn(study, base.model)) return draw === null ? null : (groups ?? groupsOfDraw(draw, graph, among, site.sha256))
  return dealt.length === 0 ? null : (groups ?? maskGroups(graph, among, dealt))
}

/** Whether the round on this model is of the groups that its study drew: nothing may leave a site for one sum of all then. */
export const isDrawn = ({ protocol }: Pick<Play['study'], 'protocol'>, { stage }: Model): boolean => protocol.mode === 'groups' && stage !== DRAW

/** The model that its first refusal left: however often a round is repeated its groups are the same, so that they tell no more each time. */
const firstRefused = ({ model, root }: BaseModel, site: Pick<Play['site'], 'sha256'>): Digest =>
  model.refusals === 1 ? root : nameModel({ ...model, refusals: 1 }, site).root

/** Frozen sets of the rounds that were refused since one closed for good, the first of them first. */
export async function refusedSets({
  site,
  run,
}: {
  readonly run: RunId
  readonly site: { readonly chain: Pick<ChainReader, 'events'> }
}): Promise<readonly Bitmap[]> {
  const events = await site.chain.events(0, { run, kinds: ['Frozen', ...END_KINDS] })
  const ends = standingEnds(events)
  const since = ends.slice(ends.findLastIndex(({ kind }) => kind === 'RoundClosed') + 1)
  const refused = new Set(since.flatMap((end) => (end.kind === 'RoundRefused' ? [end.round] : [])))
  return events.flatMap((e) => (e.kind === 'Frozen' && refused.has(e.round) ? [e.included] : []))
}

/** Whoever has left the study is missing for good. */
async function withoutLeft({ study }: Play, sets: readonly Bitmap[]): Promise<readonly Bitmap[]> {
  const { approved } = await study.record()
  return sets.map((set) => (set & approved) as Bitmap)
}

const NOBODY: MaskGraph = { sites: EMPTY, neighbours: () => EMPTY, holders: () => EMPTY, shown: () => new Map() }
const EVERYBODY = ((1n << 256n) - 1n) as Bitmap

/**
 * The groups into which a round is cut; none: one sum. A masked round is cut that repeats a refused one, so that the sum of whoever hid garbage is seen; not
 * where noise is made together, since a group's sum would have too little of it.
 * @param refused frozen sets, the first of them first
 * @param sites of theirs that this one awaits when it opens
 */
export function groupsAmong(
  { run, site, study }: Pick<Play, 'run' | 'site' | 'study'>,
  base: BaseModel,
  refused: readonly Bitmap[],
  sites: Bitmap,
): readonly Bitmap[] {
  const { mode, privacy } = study.protocol
  const [first] = refused
  if (first === undefined || mode !== 'masked' || base.model.refusals === 0 || isOneSum(base.model) || privacy?.place === 'distributed') return []
  const stayed = (first & ~leftOutOf(base.model)) as Bitmap
  const groups = groupsOfRefused(stayed, { run, baseRoot: firstRefused(base, site) }, site.sha256)
  return areLargeOf(groups, sites) ? groups : []
}

async function begin(play: Play, view: RunView, opened: Opening, name: string): Promise<MaskedRound> {
  const { chain, sha256, host } = play.site
  const { protocolDigest: protocol } = await play.study.record()
  const at = { chainId: chain.chainId, genesis: chain.genesis, coordinator: chain.coordinator, study: view.study, run: view.run, round: view.round.round }
  const given = { ...at, epoch: opened.epoch, baseRoot: opened.baseRoot, protocol, members: opened.awaited }
  const terms = maskingRound(given, sha256)
  const now = host.clock.nowMs()
  // The same object: what is being read for it after a restart comes to it, not to a copy.
  return Object.assign(takenUp(play, view, terms, now), {
    name,
    openedAtBlock: opened.block,
    given,
    terms,
    keyed: [],
    justified: new Map(),
    shownAs: '',
    isShown: false,
    graph: NOBODY,
    masks: NOBODY,
    draw: play.study.protocol.mode === 'groups' ? await play.draw() : null,
    groups: null,
    shown: [],
    among: EVERYBODY,
    dealt: [],
    seenMs: now,
    releasedMs: NEVER,
    restored: '',
    isForeseen: false,
    isWarned: false,
    isVoidTold: false,
    lacking: null,
    heard: new Map(),
  })
}

/** What was exchanged ahead, if the round opened as foreseen: then there is nothing to say at first. Or before the chain went back, on another model. */
function takenUp(play: Play, view: RunView, terms: MaskingRound, nowMs: number): Dealing {
  const { ahead, masked } = play
  const ctx = toDigest(terms.ctx)
  if (masked?.ctx === ctx) return masked
  play.ahead = null
  if (ahead?.ctx === ctx) return Object.assign(ahead, { offeredMs: ahead.isTold ? nowMs : NEVER })
  ahead?.deals.stop()
  return openDealing(play, view.run, terms)
}

const setOf = (said: readonly { readonly site: SiteId }[]): Bitmap => bitmapOf(said.map(({ site }) => site))

const nameOf = (keyed: readonly Keying[], justified: readonly Justifying[]): string =>
  [
    ...keyed.map(({ site, dealDigest, holds, heldDeals }) => `${site} ${dealDigest} ${holds} ${heldDeals}`),
    ...justified.map((event) => `${event.site} ${numberOf(event)}`),
  ].join(' ')

/** A justification is long: each event is known by a number of its own. */
const numbers = new WeakMap<Justifying, number>()
let numbered = 0
function numberOf(event: Justifying): number {
  const number = numbers.get(event) ?? numbered++
  numbers.set(event, number)
  return number
}

/** The deal that a site keyed with; undefined while it is not here, or is none of this round. */
export const dealFileOf = ({ keyed, deals, terms }: MaskedRound, site: SiteId): DealFile | undefined => {
  const named = keyed.find((event) => event.site === site)
  const file = named && deals.fileOf(site, named.dealDigest)
  return file !== undefined && equalBytes(file.index.ctx, terms.ctx) ? file : undefined
}

/** Place of a site's group in a vector; undefined in another round, and of a site in none. */
export const groupOf = ({ groups }: MaskedRound, site: SiteId): number | undefined => {
  const group = groups?.sets.findIndex((set) => has(set, site)) ?? -1
  return group < 0 ? undefined : group
}

/** Where the log is behind what else the chain shows, the round that is known is the one before: its secrets are nothing in this one. */
export const isOpening = ({ round, openedAtBlock }: MaskedRound, view: RunView): boolean =>
  round === view.round.round && openedAtBlock === view.round.openedAtBlock

/** @throws ROTA-5508 (retry) when the chain does not show the round's opening yet, or any more */
export function maskedOf({ masked }: Pick<Play, 'masked'>, { run, round }: Pick<Round, 'run' | 'round'>): MaskedRound {
  if (masked === null || masked.round !== round) throw new RotaError('ROTA-5508', { run, round })
  return masked
}
