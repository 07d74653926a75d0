import { equalBytes } from '#base/bytes.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import type { EpochKey, ObjectKind, ObjectRef } from '#ports/model-store.ts'
import { sha256 } from './hash.ts'
import { unseal } from './sealed-object.ts'

/** Which site holds which object; the bytes of each are kept, and checked, once for all. */
export class SimDisks {
  readonly #objects = new Map<Digest, StoredObject>()
  /** Told of each object that a site makes, so that a checker can do the sums of its own. */
  onPut: ((kind: ObjectKind, root: Digest, plaintext: Uint8Array) => void) | null = null
  /** Told of each object that comes to lie on a site's disk. */
  onKeep: ((cid: Digest, bytes: Uint8Array, site: SiteId) => void) | null = null

  keep(cid: Digest, bytes: Uint8Array, site: SiteId): void {
    this.onKeep?.(cid, bytes, site)
    const known = this.#objects.get(cid)
    if (known === undefined) this.#objects.set(cid, { bytes, holders: new Set([site]), opened: null })
    else known.holders.add(site)
  }

  holds(cid: Digest, site: SiteId): boolean {
    return this.#objects.get(cid)?.holders.has(site) ?? false
  }

  holdersOf(cid: Digest): Iterable<SiteId> {
    return this.#objects.get(cid)?.holders ?? []
  }

  read(cid: Digest): Uint8Array | undefined {
    return this.#objects.get(cid)?.bytes
  }

  /** The plaintext; null when the bytes are not what `ref` names, or the key is another. */
  open(ref: ObjectRef, key: EpochKey): Uint8Array | null {
    const object = this.#objects.get(ref.cid)
    if (object === undefined) return null
    const { opened } = object
    if (opened !== null && opened.kind === ref.kind && opened.root === ref.root && equalBytes(opened.key, key)) return opened.plaintext
    const plaintext = unseal(object.bytes, ref.kind, ref.root, key)
    if (plaintext === null || merkleRoot(plaintext, sha256) !== ref.root) return null
    object.opened = { kind: ref.kind, root: ref.root, key, plaintext }
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
    for (const { bytes } of this.#objects.values()) size += bytes.length
    return size
  }
}

interface StoredObject {
  readonly bytes: Uint8Array
  readonly holders: Set<SiteId>
  /** What it opened to when it was last asked for. */
  opened: { readonly kind: ObjectRef['kind']; readonly root: Digest; readonly key: EpochKey; readonly plaintext: Uint8Array } | null
}
