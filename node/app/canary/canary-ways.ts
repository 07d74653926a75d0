import { askQuestion } from '#adapters/network/questions.ts'
import { offerProbe } from '#adapters/store/link-probe.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { CANARY_LIMIT_BYTES, CANARY_PROTOCOL, decodeAnswer, encodeQuestion, type WayAnswer } from '#wire/canary.ts'
import { measureLink, probeBytes } from './canary-link.ts'
import type { CanaryParts } from './canary-parts.ts'
import { failure } from './canary-problem.ts'

/** The way from one member to another. What was not measured is null. */
export interface Way {
  readonly from: SiteId
  readonly to: SiteId
  readonly bytesPerSecond: number | null
  /** There and back. */
  readonly rttMs: number | null
  /** The clock of `to` minus that of `from`. */
  readonly clockOffsetMs: number | null
  readonly route: 'direct' | 'relayed' | null
  /** Why it was not measured. */
  readonly problem: string | null
}

/** A way that takes longer than this to measure is none that rounds could use. */
export const WAY_MS = 60_000

/**
 * Every way between these members, both ways: each pair is measured once, by one of the two, with blocks of its own. Pairs that have no member in common
 * are measured at the same time, so that no member's line is shared.
 */
export async function measureWays(
  parts: CanaryParts,
  sites: readonly SiteId[],
  vectorBytes: number,
  waitMs: number,
  signal: AbortSignal,
  onStep: (text: string) => void,
): Promise<readonly Way[]> {
  const ways: Way[] = []
  const turns = pairings(sites)
  const probe = await offerProbe(parts.store, parts.random.bytes(probeBytes(vectorBytes)), signal)
  try {
    for (const [turn, pairs] of turns.entries()) {
      onStep(`the ways between members, ${turn + 1} of ${turns.length}`)
      const measured = pairs.map(async (pair) => {
        const [by, other] = measurer(parts.site, pair)
        const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.min(waitMs, WAY_MS))])
        const measure = by === parts.site ? measureLink(parts, other, probe, vectorBytes, limit) : askWay(parts, by, other, vectorBytes, limit)
        return bothDirections(by, other, await measure.catch((error) => ({ kind: 'way' as const, problem: failure(error, signal).failed })))
      })
      ways.push(...(await Promise.all(measured)).flat())
    }
  } finally {
    await probe.drop()
  }
  return ways.sort((a, b) => a.from - b.from || a.to - b.to)
}

/** This site measures its own; of two others now the one, now the other does. */
function measurer(here: SiteId, [a, b]: readonly [SiteId, SiteId]): readonly [SiteId, SiteId] {
  if (a === here || b === here) return a === here ? [a, b] : [b, a]
  return (a + b) % 2 === 0 ? [a, b] : [b, a]
}

async function askWay(parts: CanaryParts, by: SiteId, site: SiteId, bytes: number, signal: AbortSignal): Promise<WayAnswer> {
  const question = encodeQuestion({ kind: 'way', site, bytes })
  const answer = decodeAnswer(await askQuestion(parts.network, by, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, question, signal))
  if (answer.kind !== 'way') throw new RotaError('ROTA-4001', { what: 'canary message' })
  return answer
}

function bothDirections(from: SiteId, to: SiteId, found: WayAnswer): readonly Way[] {
  if (found.problem !== null) {
    const unknown = { bytesPerSecond: null, rttMs: null, clockOffsetMs: null, route: null, problem: found.problem }
    return [
      { from, to, ...unknown },
      { from: to, to: from, ...unknown },
    ]
  }
  const { rttMs, clockOffsetMs, upBytesPerSecond, downBytesPerSecond } = found
  const both = { rttMs, route: found.relayed ? ('relayed' as const) : ('direct' as const), problem: null }
  return [
    { from, to, ...both, bytesPerSecond: upBytesPerSecond, clockOffsetMs },
    { from: to, to: from, ...both, bytesPerSecond: downBytesPerSecond, clockOffsetMs: 0 - clockOffsetMs },
  ]
}

/** Everybody meets everybody once, as many as can at the same time: one stays, the others move on by a place. */
export function pairings(sites: readonly SiteId[]): readonly (readonly (readonly [SiteId, SiteId])[])[] {
  const circle: (SiteId | null)[] = sites.length % 2 === 0 ? [...sites] : [...sites, null]
  const turns: [SiteId, SiteId][][] = []
  for (let turn = 0; turn < circle.length - 1; turn++) {
    const pairs: [SiteId, SiteId][] = []
    for (let i = 0; i < circle.length / 2; i++) {
      const [a, b] = [circle[i] ?? null, circle[circle.length - 1 - i] ?? null]
      if (a !== null && b !== null) pairs.push([a, b])
    }
    turns.push(pairs)
    circle.splice(1, 0, circle.pop() ?? null)
  }
  return turns
}

/** The slowest of all that were measured. */
export const slowestWay = (ways: readonly Way[]): Way | null =>
  ways.reduce<Way | null>((slowest, way) => (way.bytesPerSecond !== null && way.bytesPerSecond < (slowest?.bytesPerSecond ?? Infinity) ? way : slowest), null)

/**
 * What a member can count on when it gets as much from each of the others, one after the other: each way by its slower direction. Null when
 * nothing was measured.
 */
export function meanSpeed(ways: readonly Way[], site: SiteId): number | null {
  const slower = new Map<SiteId, number>()
  for (const { from, to, bytesPerSecond } of ways) {
    const other = from === site ? to : to === site ? from : null
    if (other !== null && bytesPerSecond !== null) slower.set(other, Math.min(bytesPerSecond, slower.get(other) ?? Infinity))
  }
  const seconds = [...slower.values()].reduce((sum, speed) => sum + 1 / Math.max(1, speed), 0)
  return slower.size === 0 ? null : slower.size / seconds
}

/** The longest way there and back from a member. */
export const longestWayMs = (ways: readonly Way[], site: SiteId): number | null =>
  ways.reduce<number | null>((most, { from, rttMs }) => (from === site && rttMs !== null && rttMs > (most ?? -1) ? rttMs : most), null)
