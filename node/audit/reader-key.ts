import { createDecipheriv, createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto'
import { concat, equalBytes, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { asDigest } from './digest.ts'

/** An auditor's X25519 key: all that an audit holds. Protocols list its public half; epoch keys are wrapped to it. */
export interface ReaderKey {
  readonly publicKey: Digest
  /** The 32 bytes wrapped to this key under this context, or null. */
  unwrap(wraps: readonly Wrapped[], context: Uint8Array): Uint8Array | null
}

export interface Wrapped {
  readonly recipient: Uint8Array
  readonly wrap: Uint8Array
}

/** @param secret 32 bytes, as the reader's keystore holds them */
export function readerKeyOf(secret: Uint8Array): ReaderKey {
  const own = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, secret]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(own).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length)
  return {
    publicKey: asDigest(publicKey),
    unwrap(wraps, context) {
      for (const { recipient, wrap } of wraps) {
        const key = equalBytes(recipient, publicKey) ? openWrap(own, publicKey, wrap, context) : null
        if (key !== null) return key
      }
      return null
    },
  }
}

/** Wrap: ephemeral public key (32) ‖ nonce (12) ‖ ciphertext (32) ‖ tag (16), see wire/epoch-bundle.ts. */
function openWrap(own: KeyObject, publicKey: Uint8Array, wrap: Uint8Array, context: Uint8Array): Uint8Array | null {
  const ephemeral = wrap.subarray(0, 32)
  try {
    const other = createPublicKey({ key: Buffer.concat([PUBLIC_DER, ephemeral]), format: 'der', type: 'spki' })
    const shared = diffieHellman({ privateKey: own, publicKey: other })
    const key = hkdfSync('sha256', shared, context, concat(utf8('rota/epoch-wrap/1'), ephemeral, publicKey), 32)
    return openSecret(wrap.subarray(32), new Uint8Array(key))
  } catch {
    return null
  }
}

/** AES-256-GCM: nonce (12) ‖ ciphertext ‖ tag (16); null when it does not open. */
export function openSecret(sealed: Uint8Array, key: Uint8Array): Uint8Array | null {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 }).setAuthTag(sealed.subarray(-16))
  const secret = decipher.update(sealed.subarray(12, -16))
  try {
    decipher.final()
    return secret
  } catch {
    return null
  }
}

/** DER headers of X25519 keys, RFC 8410. */
const PRIVATE_DER = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_DER = Buffer.from('302a300506032b656e032100', 'hex')
