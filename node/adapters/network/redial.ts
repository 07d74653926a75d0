import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Clock, Log } from '#ports/host.ts'
import type { Member, Members } from '#ports/members.ts'

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 10_000
const LOOK_EVERY_MS = 500
const DIAL_TIMEOUT_MS = 8_000
/** Of two sites that can both be dialled the one with the greater PeerId waits this long, so that they do not connect twice. */
const GIVE_WAY_MS = 300
/** What a relay among the members speaks. */
const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'

export interface RedialParts {
  readonly libp2p: Libp2p
  readonly members: Members
  readonly clock: Clock
  readonly log: Log
  /** Whether others can dial this site. */
  readonly dialable: boolean
}

/** Keeps this site connected to every other member until stopped: tries at once, then ever more slowly up to every 10 s, for ever. */
export function startRedial(parts: RedialParts): () => void {
  const loops = new Map<string, { readonly key: string; readonly stop: AbortController }>()
  const self = parts.libp2p.peerId.toString()

  const follow = () => {
    const wanted = new Map(
      parts.members
        .list()
        .filter((member) => member.peerId !== self)
        .map((member) => [member.peerId, member]),
    )
    for (const [peerId, loop] of loops) {
      const member = wanted.get(peerId)
      if (member !== undefined && keyOf(member) === loop.key) continue
      loop.stop.abort()
      loops.delete(peerId)
    }
    for (const [peerId, member] of wanted) {
      if (loops.has(peerId)) continue
      const stop = new AbortController()
      loops.set(peerId, { key: keyOf(member), stop })
      keepConnected(member, parts, stop.signal).catch((error) => {
        if (!stop.signal.aborted) parts.log.error('network.redial-ended', { peerId, reason: String(error) })
      })
    }
  }

  const unfollow = parts.members.onChange(follow)
  follow()
  return () => {
    unfollow()
    for (const loop of loops.values()) loop.stop.abort()
  }
}

const keyOf = (member: Member): string => [member.site, ...member.multiaddrs].join(' ')

async function keepConnected(member: Member, parts: RedialParts, signal: AbortSignal): Promise<void> {
  const peer = peerIdFromString(member.peerId)
  const givesWay = parts.dialable && member.multiaddrs.length > 0 && parts.libp2p.peerId.toString() > member.peerId
  if (givesWay) await parts.clock.sleep(GIVE_WAY_MS, signal)
  for (let failures = 0; !signal.aborted; ) {
    if (isConnected(parts.libp2p, peer)) {
      failures = 0
      await parts.clock.sleep(LOOK_EVERY_MS, signal)
    } else if (await dial(member, peer, parts, signal)) {
      failures = 0
      parts.log.info('network.connected', { site: member.site, peerId: member.peerId })
    } else {
      await parts.clock.sleep(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures), signal)
      failures = Math.min(failures + 1, 16)
    }
  }
}

/** Open after a moment: a refused connection opens, and closes at once. */
async function dial(member: Member, peer: PeerId, parts: RedialParts, signal: AbortSignal): Promise<boolean> {
  const addresses = member.multiaddrs.length > 0 ? ownAddresses(member) : await relayedAddresses(peer, parts.libp2p)
  if (addresses.length === 0) return false
  try {
    await parts.libp2p.dial(addresses, { signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]) })
    await parts.clock.sleep(FIRST_DELAY_MS, signal)
    return isConnected(parts.libp2p, peer)
  } catch (error) {
    parts.log.debug('network.dial-failed', { site: member.site, peerId: member.peerId, reason: error instanceof Error ? error.name : 'unknown' })
    return false
  }
}

export const isConnected = (libp2p: Libp2p, peer: PeerId): boolean => libp2p.getConnections(peer).some((connection) => connection.status === 'open')

/** The member's addresses, each with its PeerId, so that nobody else is taken for it. Those that do not parse are left out. */
export function ownAddresses(member: Member): Multiaddr[] {
  return member.multiaddrs.flatMap((text) => {
    try {
      return [multiaddr(text.endsWith(`/p2p/${member.peerId}`) ? text : `${text}/p2p/${member.peerId}`)]
    } catch {
      return []
    }
  })
}

/** Ways to a member that only dials out: through each relay that this site is connected with. */
async function relayedAddresses(peer: PeerId, libp2p: Libp2p): Promise<Multiaddr[]> {
  const addresses: Multiaddr[] = []
  for (const connection of libp2p.getConnections()) {
    if (!connection.direct || connection.status !== 'open') continue
    const relay = await libp2p.peerStore.get(connection.remotePeer).catch(() => null)
    if (relay?.protocols.includes(HOP_PROTOCOL)) addresses.push(multiaddr(`/p2p/${connection.remotePeer}/p2p-circuit/p2p/${peer}`))
  }
  return addresses
}
