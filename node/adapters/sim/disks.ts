import { equalBytes } from '#base/bytes.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import type { EpochKey, ObjectKind, ObjectRef } from '#ports/model-store.ts'
import { sha256 } from './hash.ts'
import { unseal } from './sealed-object.ts'

/** Where objects lie whose bytes would be most of the process's memory. */
export interface Shelf {
  /** @returns the place to read them from */
  put(bytes: Uint8Array): number
  get(place: number, lengthBytes: number): Uint8Array
}

/** A unit of a large vector: trees and messages are shorter. */
const SHELVED_BYTES = 64 * 1024

/** Which site holds which object; the bytes of each are kept, and checked, once for all. */
export class SimDisks {
  readonly #objects = new Map<Digest, StoredObject>()
  /** Told of each object that a site makes, so that a checker can do the sums of its own. */
  onPut: ((kind: ObjectKind, root: Digest, plaintext: Uint8Array) => void) | null = null
  /** Told of each object that comes to lie on a site's disk. */
  onKeep: ((cid: Digest, bytes: Uint8Array, site: SiteId) => void) | null = null
  /** Told of each object that one site gives another. */
  onCopy: ((cid: Digest, lengthBytes: number, from: SiteId, to: SiteId) => void) | null = null
  /** Takes pieces of large vectors from now on; null: they stay in memory. */
  shelf: Shelf | null = null

  keep(cid: Digest, bytes: Uint8Array, site: SiteId): void {
    this.onKeep?.(cid, bytes, site)
    const known = this.#objects.get(cid)
    if (known === undefined) this.#objects.set(cid, { ...this.#laid(bytes), holders: new Set([site]), opened: null })
    else known.holders.add(site)
  }

  /** `to` gets what `from` has. */
  copy(cid: Digest, from: SiteId, to: SiteId): void {
    const object = this.#objects.get(cid)
    if (object === undefined) return
    this.onCopy?.(cid, object.lengthBytes, from, to)
    this.onKeep?.(cid, this.#bytesOf(object), to)
    object.holders.add(to)
  }

  #laid(bytes: Uint8Array): Pick<StoredObject, 'lengthBytes' | 'bytes'> {
    const isShelved = this.shelf !== null && bytes.length >= SHELVED_BYTES
    return { lengthBytes: bytes.length, bytes: isShelved ? (this.shelf as Shelf).put(bytes) : bytes }
  }

  holds(cid: Digest, site: SiteId): boolean {
    return this.#objects.get(cid)?.holders.has(site) ?? false
  }

  holdersOf(cid: Digest): Iterable<SiteId> {
    return this.#objects.get(cid)?.holders ?? []
  }

  read(cid: Digest): Uint8Array | undefined {
    const object = this.#objects.get(cid)
    return object === undefined ? undefined : this.#bytesOf(object)
  }

  #bytesOf({ bytes, lengthBytes }: StoredObject): Uint8Array {
    return typeof bytes === 'number' ? (this.shelf as Shelf).get(bytes, lengthBytes) : bytes
  }

  lengthOf(cid: Digest): number | undefined {
    return this.#objects.get(cid)?.lengthBytes
  }

  /** The plaintext; null when the bytes are not what `ref` names, or the key is another. */
  open(ref: ObjectRef, key: EpochKey): Uint8Array | null {
    const object = this.#objects.get(ref.cid)
    if (object === undefined) return null
    const { opened } = object
    const isKnown = opened !== null && opened.kind === ref.kind && opened.root === ref.root && equalBytes(opened.key, key)
    if (isKnown && opened.plaintext !== null) return opened.plaintext
    const plaintext = unseal(this.#bytesOf(object), ref.kind, ref.root, key)
    if (plaintext === null || (!isKnown && merkleRoot(plaintext, sha256) !== ref.root)) return null
    object.opened = { kind: ref.kind, root: ref.root, key, plaintext: typeof object.bytes === 'number' ? null : plaintext }
    return plaintext
  }

  /** What lies on one site's disk, in the order in which it first came to anybody. */
  heldBy(site: SiteId): Digest[] {
    return [...this.#objects].flatMap(([cid, { holders }]) => (holders.has(site) ? [cid] : []))
  }

  drop(cid: Digest, site: SiteId): void {
    const object = this.#objects.get(cid)
    object?.holders.delete(site)
    if (object?.holders.size === 0) this.#objects.delete(cid)
  }

  /** Bytes of all objects, each counted once. */
  get size(): number {
    let size = 0
    for (const { lengthBytes } of this.#objects.values()) size += lengthBytes
    return size
  }
}

interface StoredObject {
  readonly lengthBytes: number
  /** Or its place on the shelf. */
  readonly bytes: Uint8Array | number
  readonly holders: Set<SiteId>
  /** What it opened to when it was last asked for; of one on the shelf only that it did. */
  opened: { readonly kind: ObjectRef['kind']; readonly root: Digest; readonly key: EpochKey; readonly plaintext: Uint8Array | null } | null
}
