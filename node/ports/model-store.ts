import type { Digest, SiteId } from '#base/ids.ts'

/** 32 random bytes; all objects of a round use the key of the epoch that was current when it opened. */
export type EpochKey = Uint8Array

export type ObjectKind = 'update' | 'sum' | 'model' | 'protocol' | 'bundle'

/** `cid` is the sha2-256 multihash digest of the dag-pb root (CIDv1), which names exactly one CID. */
export interface ObjectRef {
  readonly cid: Digest
  readonly kind: ObjectKind
  /** SHA-256 Merkle root of the plaintext (core/commit). The key is HKDF(epoch key, kind ‖ length ‖ root). */
  readonly root: Digest
}

/** Encrypted objects by CID, on this site's disk and at the other members'. */
export interface ModelStore {
  /** Encrypts in pieces of 1 MiB and keeps it: the same bytes give the same CID whoever puts them. */
  put(plaintext: Uint8Array, kind: ObjectKind, root: Digest, key: EpochKey, signal: AbortSignal): Promise<ObjectRef>
  /**
   * From disk, else from members (at most 4 at once, resumed, no limit on total time but 30 s without progress). Whole and checked:
   * block hashes, length, GCM tags and the plaintext's root.
   * @param providers sites that should have it: asked first, and several of them share the work. Without them all members are asked.
   * @throws ROTA-4010 when nobody has it, ROTA-4015 when only bytes with another hash were offered (both: retry),
   * ROTA-4011 when its bytes hash to the CID but are not what `ref` names (reject)
   */
  get(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array>
  /**
   * Keeps an encrypted object that came inside a message.
   * @throws ROTA-4012 when it does not hash to `cid`: then nothing is kept
   */
  putSealed(sealed: Uint8Array, cid: Digest): Promise<void>
  /** The encrypted bytes on this site's disk, to send inside a message; null when they are not here whole or are longer than `limitBytes`. */
  getSealed(cid: Digest, limitBytes: number): Promise<Uint8Array | null>
  /** Unencrypted objects (a protocol, an epoch's bundle): named by their CID alone. */
  putPlain(bytes: Uint8Array, signal: AbortSignal): Promise<Digest>
  /** @throws ROTA-4010, ROTA-4015 as `get` */
  getPlain(cid: Digest, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array>
  /** Whole on this site's disk. */
  has(cid: Digest): Promise<boolean>
  /** Deletes this site's copy. Other members' copies are theirs. */
  drop(cid: Digest): Promise<void>
  /** Bytes of block payload moved since start. */
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number }
}
