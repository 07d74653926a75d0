import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { RotaError } from '#base/errors.ts'

const SEED_BYTES = 32

/**
 * The site's lasting libp2p key from its 32-byte Ed25519 seed: its PeerId stands in SiteRegistry, so the seed is kept with the other keys.
 * @throws ROTA-4008 when it is not 32 bytes
 */
export async function networkKey(seed: Uint8Array): Promise<PrivateKey> {
  if (seed.length !== SEED_BYTES) throw new RotaError('ROTA-4008', { setting: 'network key', why: `it has ${seed.length} bytes, not ${SEED_BYTES}` })
  return generateKeyPairFromSeed('Ed25519', seed)
}
