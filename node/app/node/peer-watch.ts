import { isRotaError, type RotaError } from '#base/errors.ts'
import type { SiteRecord } from '#ports/chain.ts'
import type { Peers } from '#ports/peers.ts'
import type { MemberHealth } from '#web/health.ts'
import { clockError, WRONG_CLOCK_MS } from './clock-watch.ts'
import type { RunningNode } from './node.ts'

/** A greeting is a few hundred bytes. */
const LOOK_AGAIN_MS = 10_000

/** Greets each member: whether it can be reached, its clock, its version. Those that cannot are told, not thrown. */
export const greetAll = (peers: Peers, others: readonly SiteRecord[], signal: AbortSignal): Promise<readonly MemberHealth[]> =>
  Promise.all(
    others.map(async ({ id, name }) => {
      try {
        const { rttMs, clockOffsetMs, softwareVersion, arithmeticVersion } = await peers.hello(id, signal)
        return { site: id, name, reachable: true, rttMs, clockOffsetMs, software: softwareVersion, arithmetic: arithmeticVersion }
      } catch (error) {
        if (!isRotaError(error)) throw error
        return { site: id, name, reachable: false, rttMs: null, clockOffsetMs: null, software: null, arithmetic: null }
      }
    }),
  )

/**
 * ROTA-1206 when this site's clock is ten minutes or more from the middle one of those that answered, else null. One member with a
 * wrong clock among several is not our fault and stays below the middle.
 */
export function clockAlarm(members: readonly Pick<MemberHealth, 'clockOffsetMs'>[]): RotaError | null {
  const offsets = members.flatMap(({ clockOffsetMs }) => (clockOffsetMs === null ? [] : [clockOffsetMs])).sort((a, b) => a - b)
  const middle = offsets[(offsets.length - 1) >> 1] ?? 0
  return Math.abs(middle) < WRONG_CLOCK_MS ? null : clockError(middle)
}

/** What a running node knows of the others. Looked at again when somebody asks, at most every ten seconds, and without keeping who asks waiting. */
export interface PeerWatch {
  latest(): readonly MemberHealth[]
  stop(): void
}

export function watchPeers(node: Pick<RunningNode, 'network' | 'chain' | 'site' | 'host'>): PeerWatch {
  const ended = new AbortController()
  let known: readonly MemberHealth[] = []
  let lookedMs = Number.NEGATIVE_INFINITY
  const look = async (): Promise<void> => {
    const sites = await node.chain.sites()
    known = await greetAll(
      node.network,
      sites.filter((site) => site.state === 'Active' && site.id !== node.site.id),
      ended.signal,
    )
  }
  return {
    latest() {
      const now = node.host.clock.nowMs()
      if (now - lookedMs >= LOOK_AGAIN_MS && !ended.signal.aborted) {
        lookedMs = now
        look().catch((error) => ended.signal.aborted || node.host.log.warn('members.look-failed', { reason: String(error) }))
      }
      return known
    },
    stop: () => ended.abort(),
  }
}
