import type { Digest, SiteId } from '#base/ids.ts'
import type { Outline } from '#core/commit/outline.ts'

/** 32 random bytes; all objects of a round use the key of the epoch that was current when it opened. */
export type EpochKey = Uint8Array

/** `masking`: deals of masked rounds. */
export type ObjectKind = 'update' | 'sum' | 'model' | 'protocol' | 'bundle' | 'masking'

/** `cid` is the sha2-256 multihash digest of the dag-pb root (CIDv1), which names exactly one CID. */
export interface ObjectRef {
  readonly cid: Digest
  readonly kind: ObjectKind
  /** SHA-256 Merkle root of the plaintext (core/commit). */
  readonly root: Digest
  /** Into how many slices it was cut before it was encrypted (core/commit/slices); 1 when not given. */
  readonly slices?: number
}

/** One slice of an object, encrypted: enough for whoever makes the object's tree without its bytes. */
export interface SealedSlice {
  /** SHA-256 of each encrypted piece in order: the digests of their CIDs. */
  readonly pieces: readonly Digest[]
}

/** What of an object is wanted, and who should have it. */
export interface Wanted {
  /** All when not given. */
  readonly slices?: readonly number[]
  /** Sites that should have a slice: asked first, and several of them share the work. Without them all members are asked. */
  readonly providers?: (slice: number) => readonly SiteId[]
}

/**
 * Encrypted objects by CID, on this site's disk and at the other members'.
 *
 * An object is encrypted slice by slice, each in pieces of up to 1 MiB under a key made of the epoch key and the slice's own kind, length and root:
 * whoever added up one slice alone can make its pieces. Before them, unless it has but one unit, stands its outline, under a key of the whole's.
 */
export interface ModelStore {
  /** Encrypts it and keeps it: the same bytes give the same CID whoever puts them. `outline` is the plaintext's. */
  put(plaintext: Uint8Array, outline: Outline, kind: ObjectKind, key: EpochKey, signal: AbortSignal, slices?: number): Promise<ObjectRef>
  /**
   * Encrypts and keeps one slice of a vector whose other slices may be elsewhere.
   * @param root of the slice as a tree of its own (rootOfUnits)
   */
  putSlice(plaintext: Uint8Array, root: Digest, kind: ObjectKind, key: EpochKey, signal: AbortSignal): Promise<SealedSlice>
  /** Makes an object of slices that were put here or elsewhere: the same as `put` of the whole, without its bytes. */
  join(slices: readonly SealedSlice[], outline: Outline, kind: ObjectKind, key: EpochKey, signal: AbortSignal): Promise<ObjectRef>
  /**
   * The whole. From disk, else from members (at most 4 at once, resumed, no limit on total time but 30 s without progress), and checked:
   * block hashes, length, GCM tags and the plaintext's root.
   * @throws ROTA-4010 when nobody has it, ROTA-4015 when only bytes with another hash were offered (both: retry),
   * ROTA-4011 when its bytes hash to the CID but are not what `ref` names (reject)
   */
  get(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array>
  /** The outline alone, checked against the root: tells what each part must be. @throws as `get` */
  outline(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Outline>
  /**
   * Piece by piece, in any order, each checked against the outline before `take` sees it; no more than a few pieces are in memory at once.
   * Pieces that were fetched are on this site's disk then. `bytes` are the taker's until it returns.
   * @param take gets the piece and its place in the plaintext, in bytes
   * @throws as `get`; what was taken until then was right
   */
  read(ref: ObjectRef, key: EpochKey, signal: AbortSignal, wanted: Wanted, take: (bytes: Uint8Array, offset: number) => void): Promise<Outline>
  /**
   * Keeps an encrypted object of one slice that came inside a message.
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
  /** Deletes this site's copy, of parts too. Other members' copies are theirs. */
  drop(cid: Digest): Promise<void>
  /** Bytes of block payload moved since start. */
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number }
}
