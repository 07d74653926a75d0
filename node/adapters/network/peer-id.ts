import { createPrivateKey, createPublicKey } from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'

/** Identity multihash of 36 bytes: protobuf { type = Ed25519 (1), data = 32 bytes }. @see libp2p specs, peer-ids */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The libp2p PeerId, as text, of an Ed25519 seed. Loads no libp2p: `init` and `join` ask for it. */
export function peerIdOf(seed: Uint8Array): string {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return base58btc.baseEncode(Buffer.concat([PEER_ID_PREFIX, publicKey]))
}
