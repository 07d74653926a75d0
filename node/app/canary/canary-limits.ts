import { leastKeying, leastLimit } from '#core/protocol/least-limit.ts'
import { hidesUpdates, type Limit, type LimitedPhase, type Protocol } from '#core/protocol/protocol.ts'
import { keyingBytes, unmaskingBytes } from './canary-masking.ts'

/** What limits follow from: one site's times and its ways with the others. Null: not measured. */
export interface MeasuredSite {
  readonly name: string
  /** 95th percentile, from a round's opening to the site's commitment. */
  readonly trainSeconds: number | null
  /** When it gets as much from each of the others, each way by its slower direction. */
  readonly linkBytesPerSecond: number | null
  /** The longest of its ways. */
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
  /** The round over made-up updates; null where none was played. */
  readonly round?: PlayedTimes | null
}

/** Seconds of each step of the round that was played, until its last site had done it. */
export interface PlayedTimes {
  /** Every approved site did every step. Those with the slowest ways led and had custody, so that no other turn takes longer: nothing need be reckoned. */
  readonly whole: boolean
  /** Made-up updates need no training: the rest of the step. */
  readonly contribute: StepTime
  readonly witness: StepTime
  readonly addUp: StepTime
  readonly publish: StepTime
  readonly attest: StepTime
}
export interface StepTime {
  readonly seconds: number
  readonly slowest: string | null
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
  /** What of it no canary plays, and was reckoned over the measured ways: all of it, or the shares that take the masks off. */
  readonly reckoned?: 'all' | 'unmasking'
}

/** Head-room of what is proposed over what was measured. */
const HEAD_ROOM = 2
/** A link or disk on which nothing was measured is no limit. */
const UNLIMITED = Number.POSITIVE_INFINITY

/**
 * Limits that hold the slowest site: training 2 × its 95th percentile; the other phases 2 × what they took in the round that was played, or, where a site
 * was not in it, 2 × the longer of that and what the transfers take at the study's size over each site's ways; never below what the chain asks.
 * Made-up updates are not masked: where a study's are, keying and unmasking are reckoned.
 */
export function phaseLimits(measured: Measured, protocol: Pick<Protocol, 'limits' | 'maxSites' | 'slices' | 'mode'>): readonly PhaseLimit[] {
  const isMasked = hidesUpdates(protocol)
  const limit = (phase: LimitedPhase, found: Need, reckoned?: PhaseLimit['reckoned']): PhaseLimit => {
    const least = phase === 'keying' ? leastKeying(protocol.maxSites) : leastLimit(phase, protocol.maxSites, protocol.slices)
    return {
      ...(reckoned === undefined ? {} : { reckoned }),
      phase,
      needsSeconds: found.seconds,
      slowest: found.slowest,
      now: protocol.limits[phase],
      proposed: found.seconds === null ? protocol.limits[phase] : { seconds: Math.max(least, tidySeconds(HEAD_ROOM * found.seconds)), blocks: least },
    }
  }
  return [
    ...(isMasked ? [limit('keying', keying(measured), 'all')] : []),
    limit('contributing', contributing(measured)),
    limit('witnessing', witnessing(measured, protocol.slices)),
    limit('publishing', publishing(measured, protocol.slices)),
    isMasked
      ? limit('attesting', both(attesting(measured, protocol.slices), unmasking(measured)), 'unmasking')
      : limit('attesting', attesting(measured, protocol.slices)),
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

/**
 * Keys and deals go round, and half of the limit waits for both at most: whoever lacks one then masks without its dealer. The other half is that of the
 * calls: each site keys, and whoever was accused shows the shares.
 */
function keying(measured: Measured): Need {
  const bytes = 2 * keyingBytes(measured.sites.length)
  return slowestOf(measured.sites, (site) => {
    const exchange = overLine(site, bytes, 2)
    return exchange === null ? null : 2 * Math.max(exchange, 2 * blocks(measured.blockSeconds))
  })
}

/** All show their shares at once; each then makes every site's mask again, which costs about what hashing and adding a vector does. */
function unmasking(measured: Measured): Need {
  const { sites, vectorBytes, addBytesPerSecond } = measured
  const masks = (sites.length * vectorBytes) / addBytesPerSecond
  return slowestOf(sites, (site) => plus(overLine(site, 2 * unmaskingBytes(sites.length), 1), masks))
}

/** So many bytes, in so many messages that wait for each other. */
const overLine = ({ linkBytesPerSecond, rttMs }: MeasuredSite, bytes: number, turns: number): number | null =>
  linkBytesPerSecond === null ? null : bytes / linkBytesPerSecond + (turns * (rttMs ?? 0)) / 1000

/** One after the other. Nothing measured of the second leaves the first as it is. */
const both = (first: Need, second: Need): Need =>
  first.seconds === null || second.seconds === null
    ? first
    : { seconds: first.seconds + second.seconds, slowest: second.seconds > first.seconds ? second.slowest : first.slowest }

/** The longest training; what comes out is put on the own disk, and its root on chain. */
function contributing({ sites, vectorBytes, blockSeconds, round }: Measured): Need {
  const putSeconds = (site: MeasuredSite): number =>
    Math.max(round?.contribute.seconds ?? 0, round?.whole ? 0 : vectorBytes / (site.storeBytesPerSecond ?? UNLIMITED))
  return slowestOf(sites, (site) => (site.trainSeconds === null ? null : site.trainSeconds + putSeconds(site) + blocks(blockSeconds)))
}

/** A custodian gets every other site's part of its slices. */
function witnessing(measured: Measured, slices: number): Need {
  const bytes = custodyBytes(measured, slices)
  const reckoned = slowestOf(measured.sites, (site) => overLink(site, bytes, measured))
  return timeOf(measured, ['witness'], reckoned)
}

/** Each third of the limit is one place's turn: a standby who lacks the updates gets them in its own. */
function publishing(measured: Measured, slices: number): Need {
  const bytes = custodyBytes(measured, slices)
  const adding = (measured.sites.length * measured.vectorBytes) / slices / measured.addBytesPerSecond
  const reckoned = slowestOf(measured.sites, (site) => plus(overLink(site, bytes, measured), adding))
  const { seconds, slowest } = timeOf(measured, ['witness', 'addUp', 'publish'], reckoned)
  return { seconds: seconds === null ? null : 3 * seconds, slowest }
}

/** The sum goes to everybody else, from its publisher or the owners of its slices, and each checks it. */
function attesting(measured: Measured, slices: number): Need {
  const bytes = ((measured.sites.length - 1) * measured.vectorBytes) / slices + measured.vectorBytes
  const checking = measured.vectorBytes / measured.addBytesPerSecond
  const reckoned = slowestOf(measured.sites, (site) => plus(overLink(site, bytes, measured), checking))
  return timeOf(measured, ['attest'], reckoned)
}

const plus = (a: number | null, b: number): number | null => (a === null ? null : a + b)

/** What these steps of the round took, and a call on chain; `reckoned` where it is longer and not every site was in the round. */
function timeOf({ round, blockSeconds }: Measured, steps: readonly Exclude<keyof PlayedTimes, 'whole'>[], reckoned: Need): Need {
  if (!round) return reckoned
  const times = steps.map((step) => round[step])
  const longest = times.reduce((most, time) => (time.seconds > most.seconds ? time : most))
  const seconds = times.reduce((sum, time) => sum + time.seconds, 0) + blocks(blockSeconds)
  return round.whole || seconds > (reckoned.seconds ?? 0) ? { seconds, slowest: longest.slowest } : reckoned
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

/** Whoever asks waits two minutes, unless told otherwise. One of the steps above: what is told of a time tells this too. */
const ONCE_SECONDS = 30

/** Whether a training that takes so long is measured once: two or three more would be waited for too long. */
export const isMeasuredOnce = (trainSeconds: number): boolean => trainSeconds > ONCE_SECONDS

/** 0.95: of 20 sorted values the 19th. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
