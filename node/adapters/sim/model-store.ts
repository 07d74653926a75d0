import { equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import type { EpochKey, ModelStore, ObjectKind, ObjectRef } from '#ports/model-store.ts'
import type { SimDisks } from './disks.ts'
import type { Life } from './life.ts'
import type { SimNetwork } from './network.ts'
import { cidOf, seal } from './sealed-object.ts'

/**
 * One site's disk, and the way to the others'. All who get an object get the same array: who wants to write copies it.
 */
export class SimModelStore implements ModelStore {
  readonly traffic = { bytesIn: 0, bytesOut: 0 }
  readonly #disks: SimDisks
  readonly #network: SimNetwork
  readonly #life: Life
  readonly #stores: Map<SiteId, SimModelStore>
  readonly #isMember: (site: SiteId) => boolean
  /** Keeps back what others ask of it. */
  readonly #withholds: boolean

  /** @param stores every site's store of now; this one takes its place among them */
  constructor(disks: SimDisks, network: SimNetwork, life: Life, stores: Map<SiteId, SimModelStore>, isMember: (site: SiteId) => boolean, withholds = false) {
    this.#disks = disks
    this.#network = network
    this.#life = life
    this.#stores = stores
    this.#isMember = isMember
    this.#withholds = withholds
    stores.set(life.site, this)
  }

  put(plaintext: Uint8Array, kind: ObjectKind, root: Digest, key: EpochKey, signal: AbortSignal): Promise<ObjectRef> {
    return this.#life.at('store.put', async () => {
      signal.throwIfAborted()
      const sealed = seal(plaintext, kind, root, key)
      const cid = cidOf(sealed)
      this.#disks.keep(cid, sealed, this.#life.site)
      return { cid, kind, root }
    })
  }

  get(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array> {
    return this.#life.at('store.get', async () => {
      signal.throwIfAborted()
      if (!this.#disks.holds(ref.cid, this.#life.site)) await this.#fetch(ref.cid, providers, signal)
      const plaintext = this.#disks.open(ref, key)
      if (plaintext === null) throw new RotaError('ROTA-4011', { cid: ref.cid, why: 'its key or root is another' })
      return plaintext
    })
  }

  async putSealed(sealed: Uint8Array, cid: Digest): Promise<void> {
    const known = this.#disks.read(cid)
    if (known === undefined ? cidOf(sealed) !== cid : !equalBytes(known, sealed)) throw new RotaError('ROTA-4012', { cid })
    this.#disks.keep(cid, known ?? sealed.slice(), this.#life.site)
  }

  async getSealed(cid: Digest, limitBytes: number): Promise<Uint8Array | null> {
    const sealed = this.#disks.holds(cid, this.#life.site) ? this.#disks.read(cid) : undefined
    return sealed !== undefined && sealed.length <= limitBytes ? sealed : null
  }

  async putPlain(bytes: Uint8Array, signal: AbortSignal): Promise<Digest> {
    signal.throwIfAborted()
    const cid = cidOf(bytes)
    this.#disks.keep(cid, bytes.slice(), this.#life.site)
    return cid
  }

  getPlain(cid: Digest, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array> {
    return this.#life.at('store.get', async () => {
      signal.throwIfAborted()
      if (!this.#disks.holds(cid, this.#life.site)) await this.#fetch(cid, providers, signal)
      return this.#disks.read(cid) as Uint8Array
    })
  }

  async has(cid: Digest): Promise<boolean> {
    return this.#disks.holds(cid, this.#life.site)
  }

  async drop(cid: Digest): Promise<void> {
    this.#disks.drop(cid, this.#life.site)
  }

  /** Asks those who should have it first, then everybody. */
  async #fetch(cid: Digest, providers: readonly SiteId[] | undefined, signal: AbortSignal): Promise<void> {
    await this.#network.answered()
    signal.throwIfAborted()
    const me = this.#life.site
    const from = [...(providers ?? []), ...this.#disks.holdersOf(cid)].find((site) => site !== me && this.#stores.get(site)?.serves(cid, me))
    const bytes = this.#disks.read(cid)
    if (from === undefined || bytes === undefined) throw new RotaError('ROTA-4010', { cid })
    ;(this.#stores.get(from) as SimModelStore).traffic.bytesOut += bytes.length
    this.traffic.bytesIn += bytes.length
    this.#disks.keep(cid, bytes, me)
  }

  serves(cid: Digest, asker: SiteId): boolean {
    return !this.#withholds && this.#isMember(asker) && this.#disks.holds(cid, this.#life.site) && this.#network.reaches(asker, this.#life.site)
  }
}
