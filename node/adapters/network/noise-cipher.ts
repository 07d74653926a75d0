import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'

/** Bytes in parts, as libp2p's list of them. */
interface Parts extends Iterable<Uint8Array> {
  readonly byteLength: number
  append(part: Uint8Array): void
  subarray(start: number, end?: number): Uint8Array
  sublist(start: number, end?: number): Parts
}

/** As Noise calls its cipher. */
type Cipher = (text: Uint8Array | Parts, nonce: Uint8Array, associated: Uint8Array, key: Uint8Array, into?: Uint8Array) => Uint8Array | Parts

export interface Ciphers {
  readonly encrypt: Cipher
  readonly decrypt: Cipher
}

const ALGORITHM = 'chacha20-poly1305'
const TAG_BYTES = 16
const OPTIONS = { authTagLength: TAG_BYTES } as const
/** Below this the library's own, in WebAssembly, is as fast. */
const LARGE_BYTES = 1_200

/**
 * ChaCha20-Poly1305 for full frames, whose keys the system is given once a connection: given as bytes anew for each frame, they take
 * a quarter of the time. Small frames and those of the handshake, which have associated data, stay with `plain`.
 */
export function frameCiphers<T extends Ciphers>(plain: T): T {
  const keys = new WeakMap<Uint8Array, KeyObject>()
  const keyOf = (bytes: Uint8Array): KeyObject => {
    const known = keys.get(bytes) ?? createSecretKey(bytes)
    keys.set(bytes, known)
    return known
  }
  const isPlain = (text: Uint8Array | Parts, associated: Uint8Array): text is Uint8Array =>
    text instanceof Uint8Array || text.byteLength < LARGE_BYTES || associated.length > 0

  return {
    ...plain,
    encrypt: (text, nonce, associated, key, into) =>
      isPlain(text, associated) ? plain.encrypt(text, nonce, associated, key, into) : sealed(text, nonce, keyOf(key)),
    decrypt: (text, nonce, associated, key, into) =>
      isPlain(text, associated) ? plain.decrypt(text, nonce, associated, key, into) : opened(text, nonce, keyOf(key)),
  }
}

function sealed(text: Parts, nonce: Uint8Array, key: KeyObject): Parts {
  const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS)
  const parts = text.sublist(0, 0)
  for (const part of text) parts.append(cipher.update(part))
  cipher.final()
  parts.append(cipher.getAuthTag())
  return parts
}

/** @throws when the tag does not fit */
function opened(text: Parts, nonce: Uint8Array, key: KeyObject): Parts {
  const end = text.byteLength - TAG_BYTES
  const decipher = createDecipheriv(ALGORITHM, key, nonce, OPTIONS).setAuthTag(text.subarray(end))
  const parts = text.sublist(0, 0)
  for (const part of text.sublist(0, end)) parts.append(decipher.update(part))
  decipher.final()
  return parts
}
