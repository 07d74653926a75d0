import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { toHex } from '#base/bytes.ts'
import type { AgreementKey } from '#core/masking/crypto.ts'

/** DER headers of X25519 keys, RFC 8410. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')

/** @param secret 32 random bytes */
export function agreementKey(secret: Uint8Array): AgreementKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secret]), format: 'der', type: 'pkcs8' })
  const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length))
  /** A point of small order gives none. Asked for again when a parcel is sealed and when one is opened. */
  const agreed = new Map<string, Uint8Array | undefined>()
  const agree = (other: Uint8Array): Uint8Array | undefined => {
    try {
      const theirs = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, other]), format: 'der', type: 'spki' })
      return new Uint8Array(diffieHellman({ privateKey, publicKey: theirs }))
    } catch {
      // OpenSSL refuses a shared secret of zeros, which is what a point of small order gives (RFC 7748, section 6.1).
      return undefined
    }
  }
  return {
    publicKey,
    agree(other) {
      const name = toHex(other)
      if (!agreed.has(name)) agreed.set(name, agree(other))
      return agreed.get(name)
    },
  }
}
