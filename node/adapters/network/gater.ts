import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { Members } from '#ports/members.ts'

/**
 * Lets in members alone, read from the one cached list each time. Strangers get as far as the end of the Noise handshake, which proves who they are.
 * A refused dialer's `dial()` resolves all the same, and only then the connection closes: `hello` is the proof that one is welcome.
 * @param watch sees each raw connection before a byte passes
 */
export function memberGater(members: Members, watch: (connection: MultiaddrConnection) => void): ConnectionGater {
  const stranger = (peer: PeerId): boolean => members.siteOf(peer.toString()) === undefined
  const seen = (connection: MultiaddrConnection): boolean => {
    watch(connection)
    return false
  }
  return {
    denyInboundConnection: seen,
    denyOutboundConnection: (_peer, connection) => seen(connection),
    denyDialPeer: stranger,
    denyInboundEncryptedConnection: stranger,
    denyOutboundEncryptedConnection: stranger,
    denyInboundRelayReservation: stranger,
    denyOutboundRelayedConnection: (source, destination) => stranger(source) || stranger(destination),
    denyInboundRelayedConnection: (relay, remote) => stranger(relay) || stranger(remote),
  }
}
