import { askQuestion } from '#adapters/network/questions.ts'
import { has } from '#base/bitmap.ts'
import { toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, SiteId, StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { vectorBytes as bytesOf } from '#core/ring/layout.ts'
import type { StudyRecord } from '#ports/chain.ts'
import {
  CANARY_ROUND_LIMIT_BYTES,
  CANARY_ROUND_PROTOCOL,
  type CanaryStep,
  decodeRoundAnswer,
  encodeRoundQuestion,
  MOST_PATIENCE_MS,
} from '#wire/canary-round.ts'
import { type PhaseLimit, type PlayedTimes, phaseLimits } from './canary-limits.ts'
import type { CanaryParts } from './canary-parts.ts'
import { type PlayedRound, playRound, type Seated } from './canary-round.ts'
import type { CanaryRounds } from './canary-rounds.ts'
import { askAll, type CanaryRow, isAble } from './canary-rows.ts'
import { measureAdding } from './canary-training.ts'
import { largestLayout } from './canary-vector.ts'
import { longestWayMs, meanSpeed, measureWays, type Way } from './canary-ways.ts'

export interface CanaryReport {
  readonly study: StudyId
  readonly protocolDigest: Digest
  /** Milliseconds since the epoch, by this site's clock. */
  readonly atMs: number
  readonly vectorBytes: number
  readonly blockSeconds: number | null
  readonly rows: readonly CanaryRow[]
  /** Every way between two of those that approved and answered. */
  readonly ways: readonly Way[]
  /** The round over made-up updates; null where fewer than two could have taken part. */
  readonly round: PlayedRound | null
  readonly limits: readonly PhaseLimit[]
  /** Approved members that gave no answer. */
  readonly unanswered: readonly string[]
  /** Sites that a run needs, and those that could take part for all that is known. */
  readonly minSites: number
  readonly able: number
}

export interface CanaryCall {
  readonly study: StudyId
  /** How long an answer may take: a training of minutes is measured meanwhile. */
  readonly waitMs: number
}

/**
 * Measures every member (its training on its own rows, its store, its build), every way between two of them, and plays one round over made-up updates
 * of the study's size. Sites that do not answer are rows too.
 * @param rounds of this site: its own part in the round is one of them
 * @throws ROTA-1404 this site did not approve the study, 1207 its protocol is not here, 53xx no such study
 */
export async function runCanary(
  parts: CanaryParts,
  rounds: CanaryRounds,
  call: CanaryCall,
  signal: AbortSignal,
  onStep: (text: string) => void = () => {},
): Promise<CanaryReport> {
  const record = await parts.chain.study(call.study)
  if (!has(record.approved, parts.site)) throw new RotaError('ROTA-1404', { study: call.study })
  const protocol = await parts.protocol(record, signal)
  const vectorBytes = bytesOf(largestLayout(protocol))
  const others = (await parts.chain.sites()).filter(({ state, id }) => state === 'Active' && id !== parts.site)

  onStep('every site trains on its own rows')
  const rows = await askAll(parts, others, record, call.waitMs, signal)
  const there = rows.filter(({ approved, problem }) => approved && problem === null).map(({ site }) => site)
  const ways = await measureWays(parts, there, vectorBytes, call.waitMs, signal, onStep)
  const round = await playAmong(parts, rounds, rows, ways, { record, protocol, waitMs: call.waitMs }, signal, onStep)
  const blockSeconds = await meanBlockSeconds(parts)
  const nameOf = (site: SiteId): string => rows.find((row) => row.site === site)?.name ?? `site ${site}`
  return {
    study: record.id,
    protocolDigest: record.protocolDigest,
    atMs: parts.clock.nowMs(),
    vectorBytes,
    blockSeconds,
    rows,
    ways,
    round,
    limits: phaseLimits(
      {
        sites: measuredSites(rows, ways),
        vectorBytes,
        blockSeconds,
        addBytesPerSecond: measureAdding(parts.random),
        round: round === null ? null : timesOf(round, rows.filter(({ approved }) => approved).length, nameOf),
      },
      protocol,
    ),
    unanswered: rows.filter(({ approved, problem }) => approved && problem !== null).map(({ name }) => name),
    minSites: protocol.minSites,
    able: rows.filter(isAble).length,
  }
}

/** Those that would contribute play, the slowest ways first: who is hard to reach leads and has custody, as will happen in its turn. */
async function playAmong(
  parts: CanaryParts,
  rounds: CanaryRounds,
  rows: readonly CanaryRow[],
  ways: readonly Way[],
  { record, protocol, waitMs }: { readonly record: StudyRecord; readonly protocol: Protocol; readonly waitMs: number },
  signal: AbortSignal,
  onStep: (text: string) => void,
): Promise<PlayedRound | null> {
  const speedOf = (site: SiteId): number => meanSpeed(ways, site) ?? 0
  const players = rows
    .filter((row) => isAble(row) && row.problem === null && row.whyNot === '')
    .map(({ site }) => site)
    .sort((a, b) => speedOf(a) - speedOf(b) || a - b)
  if (players.length < 2) return null
  const setup = { name: toDigest(parts.random.bytes(32)), record, protocol, patienceMs: Math.min(waitMs, MOST_PATIENCE_MS) }
  return playRound(
    players.map((site) => seatAt(parts, rounds, site)),
    setup,
    signal,
    onStep,
  )
}

/** Of this site's own seat nothing goes over the network. */
function seatAt({ site: here, network }: CanaryParts, rounds: CanaryRounds, site: SiteId): Seated {
  if (site === here) return { site, ask: (question, signal) => Promise.race([rounds.answer(question, here), overAt(signal)]) }
  return {
    site,
    ask: async (question, signal) =>
      decodeRoundAnswer(await askQuestion(network, site, CANARY_ROUND_PROTOCOL, CANARY_ROUND_LIMIT_BYTES, encodeRoundQuestion(question), signal)),
  }
}

const overAt = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))

const measuredSites = (rows: readonly CanaryRow[], ways: readonly Way[]) =>
  rows
    .filter(({ approved }) => approved)
    .map(({ site, name, trainSeconds, readBytesPerSecond, writeBytesPerSecond }) => ({
      name,
      trainSeconds,
      linkBytesPerSecond: meanSpeed(ways, site),
      rttMs: longestWayMs(ways, site),
      storeBytesPerSecond: readBytesPerSecond === null || writeBytesPerSecond === null ? null : Math.min(readBytesPerSecond, writeBytesPerSecond),
    }))

function timesOf({ steps, faults, included, closed }: PlayedRound, approved: number, nameOf: (site: SiteId) => string): PlayedTimes {
  const whole = closed && faults.length === 0 && included.length === approved
  const time = (wanted: CanaryStep) => {
    const found = steps.find(({ step }) => step === wanted)
    const slowest = slowestIn(found)
    // Who never did it was waited for; who did tells how long it takes.
    const byAll = found !== undefined && !faults.some(({ step }) => step === wanted)
    return { seconds: byAll ? found.seconds : (slowest?.seconds ?? 0), slowest: slowest === null ? null : nameOf(slowest.site) }
  }
  return { whole, contribute: time('contribute'), witness: time('witness'), addUp: time('tell'), publish: time('publish'), attest: time('attest') }
}

/** By its own clock. */
export function slowestIn(step: PlayedRound['steps'][number] | undefined): PlayedRound['steps'][number]['sites'][number] | null {
  const [first, ...rest] = step?.sites ?? []
  return first === undefined ? null : rest.reduce((slowest, each) => (each.seconds > slowest.seconds ? each : slowest), first)
}

const LAST_EVENTS = 20

/** From the newest events; null before there are two blocks with any, or where blocks come with calls. */
async function meanBlockSeconds({ chain }: CanaryParts): Promise<number | null> {
  const events = (await chain.events(0)).slice(-LAST_EVENTS)
  const [first, last] = [events[0], events.at(-1)]
  if (first === undefined || last === undefined || last.block === first.block) return null
  const mean = (last.timestamp - first.timestamp) / (last.block - first.block)
  return mean >= 1 && mean <= 60 ? mean : null
}
