import { hkdfSync } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { ConnectionGater, Libp2p, PeerId } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { RotaError } from '#base/errors.ts'

/** An IPFS node that may fetch from here, and is asked for what no member has. */
export interface BitswapPeer {
  readonly id: string
  readonly address: Multiaddr
}

/** @throws ROTA-4008 when an address is no multiaddr, or does not end in the peer's id */
export function bitswapPeers(addresses: readonly string[]): readonly BitswapPeer[] {
  return addresses.map((text) => {
    const address = parsed('bitswap.peers', text)
    const last = address.getComponents().at(-1)
    if (last?.name !== 'p2p' || last.value === undefined)
      throw new RotaError('ROTA-4008', { setting: 'bitswap.peers', why: `${text} does not end in /p2p/ and a peer id` })
    return { id: last.value, address }
  })
}

/**
 * A libp2p host for bitswap alone, beside the members' one and under another key: an IPFS node is no member, and must meet neither gossip nor the members'
 * own exchange. It lets in and dials nobody but the peers of the config, asks no router, and joins no public network.
 * @param seed of the site's libp2p key; the host's own key hangs on it, so its peer id stays the same
 * @throws ROTA-4004 when it cannot listen, ROTA-4008 when an address is none
 */
export async function startBitswapHost(seed: Uint8Array, listen: readonly string[], peers: readonly BitswapPeer[]): Promise<Libp2p> {
  for (const address of listen) parsed('bitswap.listen', address)
  const known = new Set(peers.map(({ id }) => id))
  const stranger = (peer: PeerId): boolean => !known.has(peer.toString())
  const gater: ConnectionGater = { denyDialPeer: stranger, denyInboundEncryptedConnection: stranger, denyOutboundEncryptedConnection: stranger }
  try {
    return await createLibp2p({
      privateKey: await generateKeyPairFromSeed('Ed25519', new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(0), 'rota/bitswap/1', 32))),
      addresses: { listen: [...listen] },
      transports: [tcp(), webSockets()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: gater,
      // A link that a transfer saturates fails pings: the default would end the connection.
      connectionMonitor: { abortConnectionOnPingFailure: false },
      connectionManager: { reconnectRetries: 0 },
      services: { identify: identify() },
    })
  } catch (cause) {
    throw new RotaError('ROTA-4004', { address: listen.join(', ') }, cause)
  }
}

function parsed(setting: string, text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (cause) {
    throw new RotaError('ROTA-4008', { setting, why: `${text} is no multiaddr` }, cause)
  }
}
