import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concat } from '#base/bytes.ts'
import { SEAL_TAG_BYTES } from '#core/masking/crypto.ts'

/** Fixed, since each key seals one message. */
const NONCE = Buffer.alloc(12)

/** AES-256-GCM: ciphertext ‖ tag. */
export function sealOnce(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, NONCE)
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag())
}

export function openOnce(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < SEAL_TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: SEAL_TAG_BYTES })
  decipher.setAuthTag(sealed.subarray(-SEAL_TAG_BYTES))
  try {
    return concat(decipher.update(sealed.subarray(0, -SEAL_TAG_BYTES)), decipher.final())
  } catch {
    return undefined
  }
}
