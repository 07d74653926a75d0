import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto'
import { concat, equalBytes, utf8 } from '#base/bytes.ts'
import type { Random } from '#ports/host.ts'

/** X25519 key pair; the secret stays inside node:crypto's object. */
export interface EncryptionKey {
  readonly secret: KeyObject
  readonly publicKey: Uint8Array
}

/** @param secret 32 random bytes */
export function encryptionKeyOf(secret: Uint8Array): EncryptionKey {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secret]), format: 'der', type: 'pkcs8' })
  const jwk = createPublicKey(key).export({ format: 'jwk' })
  return { secret: key, publicKey: new Uint8Array(Buffer.from(jwk.x as string, 'base64url')) }
}

/**
 * `key` (32 bytes) for one recipient: ephemeral public key (32) ‖ nonce (12) ‖ ciphertext (32) ‖ tag (16), as in wire/epoch-bundle.ts.
 * HKDF-SHA-256 of the X25519 secret is bound to `context` and both public keys, so a wrap cannot be moved to another study, epoch or member.
 * It does not say who wrapped: the bundle's digest on chain does.
 */
export function wrapFor(recipient: Uint8Array, key: Uint8Array, context: Uint8Array, random: Random): Uint8Array {
  const ephemeral = encryptionKeyOf(random.bytes(32))
  const kek = wrappingKey(ephemeral.secret, recipient, ephemeral.publicKey, recipient, context)
  return concat(ephemeral.publicKey, sealBytes(key, kek, random))
}

/** Undefined when it does not open with this key under this context. */
export function unwrapWith(own: EncryptionKey, wrap: Uint8Array, context: Uint8Array): Uint8Array | undefined {
  const ephemeral = wrap.subarray(0, 32)
  try {
    return openBytes(wrap.subarray(32), wrappingKey(own.secret, ephemeral, ephemeral, own.publicKey, context))
  } catch {
    return undefined
  }
}

/** AES-256-GCM with a random nonce: nonce (12) ‖ ciphertext ‖ tag (16). */
export function sealBytes(secret: Uint8Array, key: Uint8Array, random: Random): Uint8Array {
  const nonce = random.bytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  return concat(nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag())
}

/** @throws Error when the key is another or a byte was changed */
export function openBytes(sealed: Uint8Array, key: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 })
  decipher.setAuthTag(sealed.subarray(-16))
  return concat(decipher.update(sealed.subarray(12, -16)), decipher.final())
}

export const isRecipient = (own: EncryptionKey, recipient: Uint8Array): boolean => equalBytes(own.publicKey, recipient)

/** node:crypto refuses a public key of low order, so the shared secret is never zero. */
function wrappingKey(secret: KeyObject, other: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array, context: Uint8Array): Uint8Array {
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, other]), format: 'der', type: 'spki' })
  const shared = diffieHellman({ privateKey: secret, publicKey })
  return new Uint8Array(hkdfSync('sha256', shared, context, concat(utf8('rota/epoch-wrap/1'), ephemeral, recipient), 32))
}

/** DER headers of X25519 keys, RFC 8410. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')
