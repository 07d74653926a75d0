import type { Libp2p, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Clock, Log } from '#ports/host.ts'
import type { Member, Members } from '#ports/members.ts'
import type { Hello, Peers } from '#ports/peers.ts'
import { memberGater } from './gater.ts'
import { answerHello, HELLO_PROTOCOL, sayHello, type Versions } from './hello.ts'
import { networkKey } from './identity.ts'
import { libp2pOptions } from './libp2p-options.ts'
import { ownAddresses, startRedial } from './redial.ts'
import { createTrafficMeter, type Traffic } from './traffic.ts'

export interface NetworkOptions {
  /** 32 bytes of the site's Ed25519 key, the same for the site's life. */
  readonly seed: Uint8Array
  readonly members: Members
  /** Multiaddrs to listen on, e.g. /ip4/0.0.0.0/tcp/4001 or /ip4/0.0.0.0/tcp/443/ws. Empty: no port is opened, and members' relays hold a place for the site. */
  readonly listen: readonly string[]
  /** Addresses told to others in place of the ones listened on: behind NAT or a proxy. */
  readonly announce?: readonly string[]
  /** Carries connections between members that cannot reach each other; costs their bytes twice. Default true where there is a port. */
  readonly relay?: boolean
  readonly versions: Versions
  readonly clock: Clock
  readonly log: Log
  /** More libp2p services on this host, such as gossip's. */
  readonly services?: ServiceFactoryMap
}

/** The one libp2p host of a node: gossip and store share it, each through the few calls that it needs. */
export interface Network extends Peers {
  readonly peerId: string
  /** Where others dial this host now, with its PeerId. */
  addresses(): readonly string[]
  /** Members connected now, in the order of their ids. */
  connected(): readonly SiteId[]
  /** How bytes go to a member now; null when it is not connected. */
  route(site: SiteId): 'direct' | 'relayed' | null
  /** Streams of `protocol` from members; a stranger's is ended unread. What `handler` throws ends the stream. */
  serve(protocol: string, handler: (stream: Stream, from: SiteId) => Promise<void>): Promise<void>
  unserve(protocol: string): Promise<void>
  /** @throws ROTA-4005 when the site cannot be reached, ROTA-4007 when it does not speak `protocol` */
  open(site: SiteId, protocol: string, signal: AbortSignal): Promise<Stream>
  readonly traffic: Traffic
  stop(): Promise<void>
}

const MAX_STREAMS = 8
const REACH_TIMEOUT_MS = 8_000

/** @throws ROTA-4004 when it cannot listen, ROTA-4008 when the key or an address is no such thing */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const meter = createTrafficMeter()
  const { listen, announce = [], relay = listen.length > 0, members, versions, services = {} } = options
  checkAddresses('listen', listen)
  checkAddresses('announce', announce)
  const privateKey = await networkKey(options.seed)
  const gater = memberGater(members, meter.watch)
  const libp2p = await createLibp2p({
    ...libp2pOptions({ privateKey, listen, announce, relay, gater, softwareVersion: versions.software, services }),
    start: false,
  })
  const network = new Libp2pNetwork(libp2p, options, meter)
  await network.start()
  return network
}

/** @throws ROTA-4008 with the address that is none */
function checkAddresses(setting: string, addresses: readonly string[]): void {
  for (const address of addresses) {
    try {
      multiaddr(address)
    } catch (cause) {
      throw new RotaError('ROTA-4008', { setting, why: `${address} is no multiaddr` }, cause)
    }
  }
}

class Libp2pNetwork implements Network {
  readonly peerId: string
  readonly traffic: Traffic
  readonly #libp2p: Libp2p
  readonly #options: NetworkOptions
  #stops: (() => void)[] = []

  constructor(libp2p: Libp2p, options: NetworkOptions, traffic: Traffic) {
    this.peerId = libp2p.peerId.toString()
    this.traffic = traffic
    this.#libp2p = libp2p
    this.#options = options
  }

  async start(): Promise<void> {
    const { members, clock, log, versions, listen } = this.#options
    await this.serve(HELLO_PROTOCOL, (stream, from) => answerHello(stream, from, versions, clock))
    try {
      await this.#libp2p.start()
    } catch (cause) {
      await this.#libp2p.stop()
      throw new RotaError('ROTA-4004', { address: listen.join(', ') }, cause)
    }
    const dialable = listen.length > 0 && members.list().some((member) => member.peerId === this.peerId && member.multiaddrs.length > 0)
    this.#stops = [startRedial({ libp2p: this.#libp2p, members, clock, log, dialable }), members.onChange(() => this.#hangUpStrangers())]
    log.info('network.listening', { peerId: this.peerId, addresses: this.addresses().join(' ') })
  }

  addresses(): readonly string[] {
    return this.#libp2p.getMultiaddrs().map(String)
  }

  connected(): readonly SiteId[] {
    const open = this.#libp2p.getConnections().filter((connection) => connection.status === 'open')
    const sites = open.map((connection) => this.#options.members.siteOf(connection.remotePeer.toString())).filter((site) => site !== undefined)
    return [...new Set(sites)].sort((a, b) => a - b)
  }

  route(site: SiteId): 'direct' | 'relayed' | null {
    const member = this.#options.members.list().find((candidate) => candidate.site === site)
    const connection = member === undefined ? undefined : this.#connection(member)
    return connection === undefined ? null : connection.direct ? 'direct' : 'relayed'
  }

  async serve(protocol: string, handler: (stream: Stream, from: SiteId) => Promise<void>): Promise<void> {
    const handle = async (stream: Stream, peerId: string): Promise<void> => {
      const from = this.#options.members.siteOf(peerId)
      if (from === undefined) return stream.abort(new Error('not a member'))
      await handler(stream, from).catch((error) => {
        this.#options.log.debug('network.stream-failed', { site: from, method: protocol, reason: reasonOf(error) })
        stream.abort(error instanceof Error ? error : new Error(String(error)))
      })
    }
    await this.#libp2p.handle(protocol, (stream, connection) => handle(stream, connection.remotePeer.toString()), {
      runOnLimitedConnection: true,
      maxInboundStreams: MAX_STREAMS,
    })
  }

  async unserve(protocol: string): Promise<void> {
    await this.#libp2p.unhandle(protocol)
  }

  async open(site: SiteId, protocol: string, signal: AbortSignal): Promise<Stream> {
    const member = this.#options.members.list().find((candidate) => candidate.site === site)
    if (member === undefined) throw new RotaError('ROTA-4005', { site })
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(REACH_TIMEOUT_MS)])
    try {
      const connection = this.#connection(member) ?? (await this.#libp2p.dial(ownAddresses(member), { signal: bounded }))
      return await connection.newStream(protocol, { signal: bounded, runOnLimitedConnection: true })
    } catch (cause) {
      signal.throwIfAborted()
      if (cause instanceof Error && cause.name === 'UnsupportedProtocolError') throw new RotaError('ROTA-4007', { site, protocol }, cause)
      throw new RotaError('ROTA-4005', { site }, cause)
    }
  }

  async hello(site: SiteId, signal: AbortSignal): Promise<Hello> {
    const stream = await this.open(site, HELLO_PROTOCOL, signal)
    try {
      return await sayHello(stream, this.#options.versions, this.#options.clock, AbortSignal.any([signal, AbortSignal.timeout(REACH_TIMEOUT_MS)]))
    } catch (cause) {
      stream.abort(new Error('hello failed'))
      signal.throwIfAborted()
      throw cause instanceof RotaError ? cause : new RotaError('ROTA-4005', { site }, cause)
    }
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    await this.#libp2p.stop()
  }

  /** A direct connection before a relayed one. */
  #connection(member: Member) {
    const open = this.#libp2p.getConnections(peerIdFromString(member.peerId)).filter((connection) => connection.status === 'open')
    return open.find((connection) => connection.direct) ?? open[0]
  }

  /** Removal from the list does not close what is open. */
  #hangUpStrangers(): void {
    for (const connection of this.#libp2p.getConnections()) {
      const peerId = connection.remotePeer.toString()
      if (this.#options.members.siteOf(peerId) !== undefined) continue
      this.#options.log.info('network.hung-up', { peerId })
      connection.abort(new Error('no longer a member'))
    }
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
