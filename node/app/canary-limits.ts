import type { Limit, LimitedPhase, Protocol } from '#core/protocol/protocol.ts'

/** What limits follow from: one site's times and the asker's link with it. Null: not measured. */
export interface MeasuredSite {
  readonly name: string
  /** 95th percentile, from a round's opening to the site's commitment. */
  readonly trainSeconds: number | null
  /** The slower direction of the link with the site that asked; null for that site itself. */
  readonly linkBytesPerSecond: number | null
  readonly rttMs: number | null
  /** The slower of reading and writing. */
  readonly storeBytesPerSecond: number | null
}

export interface Measured {
  readonly sites: readonly MeasuredSite[]
  /** Of the largest vector that the study sends. */
  readonly vectorBytes: number
  /** Hashing and adding one vector at the site that asked. */
  readonly addBytesPerSecond: number
  /** Between blocks; null when it is not known. */
  readonly blockSeconds: number | null
}

/** One phase: what was measured, what the protocol gives it, and what it should. */
export interface PhaseLimit {
  readonly phase: LimitedPhase
  /** Seconds that it takes at least, with the slowest site in it. Null: nothing was measured that says so. */
  readonly needsSeconds: number | null
  /** The site that decides. */
  readonly slowest: string | null
  readonly now: Limit
  readonly proposed: Limit
}

/** Head-room of what is proposed over what was measured (DESIGN section 4 asks it of the training). */
const HEAD_ROOM = 2
/** A link or disk on which nothing was measured is no limit. */
const UNLIMITED = Number.POSITIVE_INFINITY

/**
 * Limits that hold the slowest site: training 2 × its 95th percentile, the other phases 2 × the time of their transfers at the study's
 * size; never below n + 3 seconds and blocks. Keying is left as it is: nothing of it happens before a run.
 */
export function phaseLimits(measured: Measured, protocol: Pick<Protocol, 'limits' | 'maxSites' | 'slices'>): readonly PhaseLimit[] {
  const least = protocol.maxSites + 3
  const limit = (phase: LimitedPhase, found: Need): PhaseLimit => ({
    phase,
    needsSeconds: found.seconds,
    slowest: found.slowest,
    now: protocol.limits[phase],
    proposed: found.seconds === null ? protocol.limits[phase] : { seconds: Math.max(least, tidySeconds(HEAD_ROOM * found.seconds)), blocks: least },
  })
  return [
    limit('contributing', contributing(measured)),
    limit('witnessing', witnessing(measured, protocol.slices)),
    limit('publishing', publishing(measured, protocol.slices)),
    limit('attesting', attesting(measured, protocol.slices)),
  ]
}

/** The phases whose limit is below what was measured: a run would lose its slowest site in each round, or come to nothing. */
export const shortPhases = (limits: readonly PhaseLimit[]): readonly PhaseLimit[] =>
  limits.filter(({ needsSeconds, now }) => needsSeconds !== null && needsSeconds > now.seconds)

export const shortfallText = ({ phase, needsSeconds, slowest, now }: PhaseLimit): string =>
  `${phase} has ${now.seconds} s and takes ${needsSeconds === null ? '?' : Math.ceil(needsSeconds)} s${slowest === null ? '' : ` at ${slowest}`}`

interface Need {
  readonly seconds: number | null
  readonly slowest: string | null
}

/** The longest training; what comes out is put on the own disk, and its root on chain. */
function contributing({ sites, vectorBytes, blockSeconds }: Measured): Need {
  return slowestOf(sites, (site) =>
    site.trainSeconds === null ? null : site.trainSeconds + vectorBytes / (site.storeBytesPerSecond ?? UNLIMITED) + blocks(blockSeconds),
  )
}

/** A custodian gets every other site's part of its slices. */
function witnessing(measured: Measured, slices: number): Need {
  const bytes = custodyBytes(measured, slices)
  return slowestOf(measured.sites, (site) => overLink(site, bytes, measured))
}

/** Each third of the limit is one place's turn: a standby who lacks the updates gets them in its own. */
function publishing(measured: Measured, slices: number): Need {
  const bytes = custodyBytes(measured, slices)
  const adding = (measured.sites.length * measured.vectorBytes) / slices / measured.addBytesPerSecond
  const need = slowestOf(measured.sites, (site) => overLink(site, bytes, measured))
  return need.seconds === null ? need : { ...need, seconds: 3 * (need.seconds + adding) }
}

/** The sum goes to everybody else, from its publisher or the owners of its slices, and each checks it. */
function attesting(measured: Measured, slices: number): Need {
  const bytes = ((measured.sites.length - 1) * measured.vectorBytes) / slices + measured.vectorBytes
  const checking = measured.vectorBytes / measured.addBytesPerSecond
  const need = slowestOf(measured.sites, (site) => overLink(site, bytes, measured))
  return need.seconds === null ? need : { ...need, seconds: need.seconds + checking }
}

/** Of one slice: all other updates whole. Of as many as sites: three slices of each. */
function custodyBytes({ sites, vectorBytes }: Measured, slices: number): number {
  const own = Math.min(slices, Math.ceil((3 * slices) / Math.max(1, sites.length)))
  return ((Math.max(1, sites.length) - 1) * vectorBytes * own) / slices
}

const overLink = (site: MeasuredSite, bytes: number, { blockSeconds }: Measured): number | null =>
  site.linkBytesPerSecond === null
    ? null
    : bytes / site.linkBytesPerSecond + bytes / (site.storeBytesPerSecond ?? UNLIMITED) + (2 * (site.rttMs ?? 0)) / 1000 + blocks(blockSeconds)

/** A call is mined in the next block, and seen with the one after. */
const blocks = (blockSeconds: number | null): number => 2 * (blockSeconds ?? 0)

function slowestOf(sites: readonly MeasuredSite[], secondsOf: (site: MeasuredSite) => number | null): Need {
  let need: Need = { seconds: null, slowest: null }
  for (const site of sites) {
    const seconds = secondsOf(site)
    if (seconds !== null && (need.seconds === null || seconds > need.seconds)) need = { seconds, slowest: site.name }
  }
  return need
}

/** Upwards to what a person would write: whole seconds, then tens, then minutes. */
export function tidySeconds(seconds: number): number {
  const step = seconds <= 60 ? 1 : seconds <= 600 ? 10 : 60
  return Math.ceil(seconds / step) * step
}

const STEPS = [1, 1.5, 2, 3, 5, 7, 10]

/**
 * Upwards to the next of 1, 1.5, 2, 3, 5, 7, 10, 15 … seconds: exact times, times a known speed, would tell others how many rows a
 * hospital has. Whole seconds above ten; one second is the least.
 */
export function coarseSeconds(seconds: number): number {
  if (!(seconds > 1)) return 1
  const size = 10 ** Math.floor(Math.log10(seconds))
  return Math.ceil((STEPS.find((step) => step * size >= seconds) ?? 10) * size)
}

/** 0.95: of 20 sorted values the 19th. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
