import { bitmapOf, EMPTY, sitesOf } from '#base/bitmap.ts'
import { attemptNo, type Bitmap, roundNo, type SiteId, ZERO_DIGEST } from '#base/ids.ts'
import type { StudyRules } from '#ports/chain.ts'
import { common, countOf, union, unmaskThreshold, without } from './bits.ts'
import type { Call } from './call.ts'
import { RING_ROUNDS, type Round, type Run, siteAt } from './round.ts'
import { changeState } from './state.ts'

/** Who would stand in the rota of a round that opened now: IStudyRegistry.rotaNow. */
export interface Rota {
  readonly sites: Bitmap
  readonly epoch: number
}

/**
 * A round of the run opens, or the run pauses because too few sites would stand in the rota. On a model of which a masked sum was published none opens:
 * another set of its updates would be unmasked beside the one that is.
 */
export function openNext(run: Run, rota: Rota, call: Call, deep = false): Run {
  if (run.revealed.has(run.model.root)) return changeState(run, 'Ended', null, 1, call)
  if (countOf(rota.sites) < run.rules.minSites) return changeState(run, 'Paused', null, 1, call)
  const last = run.round
  const { turn, passedOver } = giveTurn(sitesOf(rota.sites), siteAt(last, 0), run.passedOver)
  const signalled = last.asker === null ? run.ready : without(run.ready, bitmapOf([last.asker]))
  const came = last.phase === 'Keying' ? without(last.keyed, last.abstained) : last.contributed
  const there = common(rota.sites, union(union(came, without(rota.sites, last.rotaSet)), signalled))
  // Who is awaited alone deals and is dealt to.
  const tooFew = run.rules.mode === 'masked' && countOf(there) < run.rules.quorum
  // After a set that came to nothing every sound site counts, the slowest too: once. Who has no keys then is waited for no more.
  const awaited = tooFew || (deep && last.phase !== 'Keying') ? rota.sites : there
  const round = freshRound(roundNo(run.opened + 1), rota, turn, awaited, run.rules, call, deep)
  tellOpening(run, round, call)
  const past = [...run.past, last].filter((r) => r.round + RING_ROUNDS > round.round).sort((a, b) => a.round - b.round)
  return { ...run, round, opened: round.round, passedOver, ready: EMPTY, past }
}

/** The first round awaits its whole rota and is led by the lowest id. */
export const firstRound = (rota: Rota, rules: StudyRules, call: Call): Round => freshRound(roundNo(1), rota, 0, rota.sites, rules, call)

export function tellOpening(run: Run, round: Round, call: Call): void {
  call.emit({
    kind: 'RoundOpened',
    run: run.id,
    round: round.round,
    leader: siteAt(round, 0),
    turn: round.turn,
    rota: round.rota,
    awaited: round.awaited,
    baseRoot: run.model.root,
    baseCid: run.model.cid,
    epoch: round.epoch,
    opening: call.hashOf(call.block),
  })
}

/** The first after the last leader who is not passed over; stepping over a site uses up one of its times. */
export function giveTurn(
  rota: readonly SiteId[],
  lastLeader: SiteId,
  before: ReadonlyMap<SiteId, number>,
): { turn: number; passedOver: ReadonlyMap<SiteId, number> } {
  const after = rota.findIndex((site) => site > lastLeader)
  const start = after < 0 ? 0 : after
  if (before.size === 0) return { turn: start, passedOver: before }
  const passedOver = new Map(before)
  for (let i = 0; i < rota.length; i++) {
    const turn = (start + i) % rota.length
    const site = rota[turn] as SiteId
    const times = passedOver.get(site) ?? 0
    if (times === 0) return { turn, passedOver }
    if (times === 1) passedOver.delete(site)
    else passedOver.set(site, times - 1)
  }
  return { turn: start, passedOver: new Map() }
}

function freshRound(round: Round['round'], rota: Rota, turn: number, awaited: Bitmap, rules: StudyRules, call: Call, deep = false): Round {
  const sites = sitesOf(rota.sites)
  const places = deep ? sites.length : Math.min(3, sites.length)
  return {
    round,
    phase: rules.mode === 'masked' ? 'Keying' : 'Contributing',
    attempt: attemptNo(0),
    rota: Object.freeze(sites),
    rotaSet: rota.sites,
    turn,
    deep,
    extensions: 0,
    openedAtBlock: call.block,
    epoch: rota.epoch,
    since: { block: call.block, timestamp: call.timestamp },
    asker: null,
    awaited,
    threshold: rules.mode === 'masked' ? unmaskThreshold(countOf(awaited)) : 0,
    keyed: EMPTY,
    held: null,
    justifying: false,
    justified: EMPTY,
    contributed: EMPTY,
    abstained: EMPTY,
    accumulator: ZERO_DIGEST,
    slices: Array.from({ length: rules.slices }, () => ({ places, witnessed: EMPTY, named: [] })),
    included: EMPTY,
    firstPlace: 0,
    publications: 0,
    rowStart: 0,
    publication: null,
    attested: EMPTY,
    tally: [],
  }
}
