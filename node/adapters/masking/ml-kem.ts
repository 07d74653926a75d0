import { createPrivateKey, createPublicKey, decapsulate, encapsulate, type KeyObject } from 'node:crypto'
import { type Encapsulated, KEM_KEY_BYTES, KEM_TEXT_BYTES, type KemKey } from '#core/masking/crypto.ts'

declare module 'node:crypto' {
  // In Node from 24.7 on; the types that are installed are older.
  export function encapsulate(key: KeyObject): { readonly sharedKey: Buffer; readonly ciphertext: Buffer }
  export function decapsulate(key: KeyObject, ciphertext: Uint8Array): Buffer
}

/** PKCS#8 with id-alg-ml-kem-768 and the private key as its seed, [0] of 64 bytes: RFC 9935, section 6. */
const SEED_PREFIX = Buffer.from('3054020100300b060960864801650304040204428040', 'hex')
/** SubjectPublicKeyInfo of the same algorithm: RFC 9935, section 4. */
const SPKI_PREFIX = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex')

/** @param seed d ‖ z, 64 bytes */
export function kemKey(seed: Uint8Array): KemKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([SEED_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length))
  return {
    publicKey,
    decapsulate: (text) => (text.length === KEM_TEXT_BYTES ? new Uint8Array(decapsulate(privateKey, text)) : undefined),
  }
}

export const isKemKey = (publicKey: Uint8Array): boolean => keyOf(publicKey) !== undefined

const keys = new WeakMap<Uint8Array, KeyObject>()

/** OpenSSL checks that the key's coefficients are below the modulus (FIPS 203, 7.2). It is looked at when it is offered, and used when something is dealt. */
function keyOf(publicKey: Uint8Array): KeyObject | undefined {
  if (publicKey.length !== KEM_KEY_BYTES) return undefined
  try {
    const key = keys.get(publicKey) ?? createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
    keys.set(publicKey, key)
    return key
  } catch {
    return undefined
  }
}

export function encapsulateTo(publicKey: Uint8Array): Encapsulated | undefined {
  try {
    const key = keyOf(publicKey)
    if (key === undefined) return undefined
    const { sharedKey, ciphertext } = encapsulate(key)
    return { secret: new Uint8Array(sharedKey), text: new Uint8Array(ciphertext) }
  } catch {
    return undefined
  }
}
