import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { ConnectionGater, PrivateKey } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import type { Libp2pOptions, ServiceFactoryMap } from 'libp2p'
import { leanNoise } from './lean-noise.ts'

/** As many as SiteRegistry can hold. */
const MOST_SITES = 256
/** What a socket takes before it asks for a pause: with Node's 64 KiB there is one after every frame of Noise. */
const SOCKET_BYTES = 512 * 1024

/** What Node takes beside the few options that libp2p's types name. */
const [dialOpts, listenOpts] = [
  { noDelay: true, writableHighWaterMark: SOCKET_BYTES },
  { noDelay: true, highWaterMark: SOCKET_BYTES },
]

export interface Libp2pChoices {
  readonly privateKey: PrivateKey
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly relay: boolean
  readonly gater: ConnectionGater
  readonly softwareVersion: string
  readonly services: ServiceFactoryMap
}

/** Every default that was found to break a network of hospitals is set here, with what it broke. */
export function libp2pOptions(choices: Libp2pChoices): Libp2pOptions {
  return {
    privateKey: choices.privateKey,
    nodeInfo: { name: 'rota', version: choices.softwareVersion, userAgent: `rota/${choices.softwareVersion}` },
    // Without a port of its own a site asks the relays among the members for a place.
    addresses: { listen: choices.listen.length > 0 ? [...choices.listen] : ['/p2p-circuit'], announce: [...choices.announce] },
    transports: [tcp({ dialOpts, listenOpts }), webSockets(), circuitRelayTransport()],
    connectionEncrypters: [leanNoise()],
    streamMuxers: [yamux()],
    connectionGater: choices.gater,
    // A link that a transfer saturates, or a busy event loop, fails pings: then the default ends the connection, and the transfer hangs.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    connectionManager: {
      // 5 a second from one address, and 10 at a time, refuse sites behind one proxy that start together.
      inboundConnectionThreshold: MOST_SITES,
      maxIncomingPendingConnections: MOST_SITES,
      maxConnections: 4 * MOST_SITES,
      // The own loop dials again, for ever; libp2p's gives up after 5 tries.
      reconnectRetries: 0,
    },
    services: { ...choices.services, identify: identify(), ping: ping(), ...(choices.relay ? { relay: relayServer() } : {}) },
  }
}

/** The default limit ends a relayed transfer after 128 KiB, as a normal end of stream. */
const relayServer = () =>
  circuitRelayServer({
    reservations: { applyDefaultLimit: false, maxReservations: MOST_SITES },
    maxInboundHopStreams: MOST_SITES,
    maxOutboundStopStreams: MOST_SITES,
  })
