import type { Sha256 } from '#base/bytes.ts'

/** What masking takes from cryptography; adapters/masking has it from OpenSSL and an audited library. Nothing here throws for bad input of others. */
export interface MaskingCrypto {
  readonly sha256: Sha256
  /** HKDF-SHA-256, RFC 5869. */
  readonly hkdf: (secret: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes: number) => Uint8Array
  /** X25519, RFC 7748. @param secret 32 bytes */
  readonly agreementKey: (secret: Uint8Array) => AgreementKey
  /** ML-KEM-768, FIPS 203. @param seed d ‖ z, 64 bytes */
  readonly kemKey: (seed: Uint8Array) => KemKey
  /** Whether it is an encapsulation key (FIPS 203, 7.2). */
  readonly isKemKey: (publicKey: Uint8Array) => boolean
  /** Undefined when it is no encapsulation key. */
  readonly encapsulate: (publicKey: Uint8Array) => Encapsulated | undefined
  /** AES-256-GCM. The key must be of this one message: the nonce is fixed. Gives ciphertext ‖ tag (16). */
  readonly seal: (key: Uint8Array, plain: Uint8Array) => Uint8Array
  /** Undefined when the key is another or a byte was changed. */
  readonly open: (key: Uint8Array, sealed: Uint8Array) => Uint8Array | undefined
  /** Shamir over GF(256): any `threshold` of the shares give the secret, fewer say nothing about it. A share is a byte longer than the secret. */
  readonly split: (secret: Uint8Array, shares: number, threshold: number) => Promise<readonly Uint8Array[]>
  /** Undefined when they cannot be of one secret. Whether it is the right one, the caller checks. */
  readonly combine: (shares: readonly Uint8Array[]) => Promise<Uint8Array | undefined>
  readonly keystream: Prg
}

/**
 * AES-256-CTR from counter block `block` on (16 bytes each, big-endian counter, as in NIST SP 800-38A): a mask may begin at any word.
 * The bytes are the caller's to release.
 */
export type Prg = (key: Uint8Array, block: bigint, lengthBytes: number) => Uint8Array

export interface AgreementKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The shared secret, 32 bytes; undefined when the other's key is of small order or no key at all. */
  readonly agree: (other: Uint8Array) => Uint8Array | undefined
}

export interface KemKey {
  readonly publicKey: Uint8Array
  /** 32 bytes. Undefined for another length; a forged text of the right length gives a secret that nobody else has (FIPS 203, 6.3). */
  readonly decapsulate: (text: Uint8Array) => Uint8Array | undefined
}

export interface Encapsulated {
  readonly text: Uint8Array
  readonly secret: Uint8Array
}

export const SEED_BYTES = 32
export const AGREEMENT_KEY_BYTES = 32
export const KEM_KEY_BYTES = 1184
export const KEM_TEXT_BYTES = 1088
export const SHARE_BYTES = SEED_BYTES + 1
export const SEAL_TAG_BYTES = 16
