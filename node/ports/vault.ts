import type { Address, Digest } from '#base/ids.ts'

/** This site's secrets. Keys never leave it; it signs and unwraps. */
export interface Vault {
  /** X25519 public key to which epoch keys are wrapped. */
  readonly encryptionKey: Digest
  readonly nodeAccount: Address
  /** Draws an epoch key's wraps: the bundle's bytes. `context` binds chain, contract, study and epoch. */
  wrap(key: Uint8Array, recipients: readonly Digest[], context: Uint8Array): readonly { readonly recipient: Uint8Array; readonly wrap: Uint8Array }[]
  /** @throws ROTA-4xxx when no wrap of the bundle opens with this site's key */
  unwrap(wraps: readonly { readonly recipient: Uint8Array; readonly wrap: Uint8Array }[], context: Uint8Array): Uint8Array
  /** AES-256-GCM under an epoch key, for the previous epoch's key in a bundle: nonce ‖ ciphertext ‖ tag. */
  seal(secret: Uint8Array, key: Uint8Array): Uint8Array
  open(sealed: Uint8Array, key: Uint8Array): Uint8Array
  /** HMAC-SHA-256 under a secret of this site that never leaves it: for patient digests and cohort trees. */
  keyedDigest(purpose: string, ...parts: Uint8Array[]): Digest
}
