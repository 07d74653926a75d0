import { equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { type Outline, outlineOf, rootOfUnits } from '#core/commit/outline.ts'
import { slicesOf } from '#core/commit/slices.ts'
import type { EpochKey, ModelStore, ObjectKind, ObjectRef, SealedSlice, Wanted } from '#ports/model-store.ts'
import type { SimDisks } from './disks.ts'
import { sha256 } from './hash.ts'
import type { Life } from './life.ts'
import type { SimNetwork } from './network.ts'
import { cidOf, seal, sealedLength } from './sealed-object.ts'
import { openTree, piecesOf, sealTree } from './sealed-tree.ts'

/**
 * One site's disk, and the way to the others'. All who get an object get the same array: who wants to write copies it.
 * An object of one slice is one piece; one of several is a tree and a piece for each slice.
 */
export class SimModelStore implements ModelStore {
  readonly traffic = { bytesIn: 0, bytesOut: 0 }
  readonly #disks: SimDisks
  readonly #network: SimNetwork
  readonly #life: Life
  readonly #stores: Map<SiteId, SimModelStore>
  readonly #isMember: (site: SiteId) => boolean
  readonly #lies: StoreLies

  /** @param stores every site's store of now; this one takes its place among them */
  constructor(disks: SimDisks, network: SimNetwork, life: Life, stores: Map<SiteId, SimModelStore>, isMember: (site: SiteId) => boolean, lies: StoreLies = {}) {
    this.#disks = disks
    this.#network = network
    this.#life = life
    this.#stores = stores
    this.#isMember = isMember
    this.#lies = lies
    stores.set(life.site, this)
  }

  put(plaintext: Uint8Array, outline: Outline, kind: ObjectKind, key: EpochKey, signal: AbortSignal, slices = 1): Promise<ObjectRef> {
    return this.#life.at('store.put', async () => {
      signal.throwIfAborted()
      this.#disks.onPut?.(kind, outline.root, plaintext)
      if (slices === 1) return { cid: this.#keep(seal(plaintext, kind, outline.root, key)), kind, root: outline.root, slices }
      const parts = slicesOf(plaintext.length, slices).map(({ start, end, firstUnit, endUnit }) =>
        this.#keepSlice(plaintext.subarray(start, end), rootOfUnits(outline.units.slice(firstUnit, endUnit), sha256), kind, key),
      )
      return this.#keepTree(parts, outline, kind, key)
    })
  }

  putSlice(plaintext: Uint8Array, root: Digest, kind: ObjectKind, key: EpochKey, signal: AbortSignal): Promise<SealedSlice> {
    return this.#life.at('store.put', async () => {
      signal.throwIfAborted()
      return this.#keepSlice(plaintext, root, kind, key)
    })
  }

  join(slices: readonly SealedSlice[], outline: Outline, kind: ObjectKind, key: EpochKey, signal: AbortSignal): Promise<ObjectRef> {
    return this.#life.at('store.put', async () => {
      signal.throwIfAborted()
      this.#checkPieces(slices, outline)
      const [only] = slices
      if (slices.length > 1 || only === undefined) return this.#keepTree(slices, outline, kind, key)
      const cid = only.pieces[0] ?? this.#keep(seal(new Uint8Array(0), kind, outline.root, key))
      return { cid, kind, root: outline.root, slices: 1 }
    })
  }

  async get(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array> {
    if ((ref.slices ?? 1) === 1) return this.#open(ref, key, signal, providers)
    let whole = new Uint8Array(0)
    const { lengthBytes } = await this.outline(ref, key, signal, providers)
    whole = new Uint8Array(lengthBytes)
    await this.read(ref, key, signal, providers === undefined ? {} : { providers: () => providers }, (bytes, offset) => whole.set(bytes, offset))
    return whole
  }

  async outline(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Outline> {
    const slices = ref.slices ?? 1
    if (slices === 1) return outlineOf(await this.#open(ref, key, signal, providers), sha256)
    const tree = await this.#bytes(ref.cid, signal, providers)
    const outline = openTree(tree, ref.kind, ref.root, slices, key)
    if (outline === null) throw new RotaError('ROTA-4011', { cid: ref.cid, why: 'its key, root or slices are others' })
    return outline
  }

  async read(ref: ObjectRef, key: EpochKey, signal: AbortSignal, wanted: Wanted, take: (bytes: Uint8Array, offset: number) => void): Promise<Outline> {
    const slices = ref.slices ?? 1
    const all = wanted.slices ?? Array.from({ length: slices }, (_, slice) => slice)
    const outline = await this.outline(ref, key, signal, all[0] === undefined ? undefined : wanted.providers?.(all[0]))
    if (slices === 1) {
      if (all.length > 0) take(await this.#open(ref, key, signal), 0)
      return outline
    }
    const pieces = piecesOf((await this.#bytes(ref.cid, signal)) as Uint8Array) ?? []
    const cuts = slicesOf(outline.lengthBytes, slices)
    for (const slice of all) {
      const cut = cuts[slice]
      const piece = pieces[slice]
      if (cut === undefined || cut.start === cut.end) continue
      if (piece === null || piece === undefined) throw new RotaError('ROTA-4011', { cid: ref.cid, why: `slice ${slice} is missing` })
      const root = rootOfUnits(outline.units.slice(cut.firstUnit, cut.endUnit), sha256)
      take(await this.#open({ cid: piece, kind: ref.kind, root }, key, signal, wanted.providers?.(slice)), cut.start)
    }
    return outline
  }

  async putSealed(sealed: Uint8Array, cid: Digest): Promise<void> {
    this.#life.trouble.checkDisk('an object')
    const known = this.#disks.read(cid)
    if (known === undefined ? cidOf(sealed) !== cid : !equalBytes(known, sealed)) throw new RotaError('ROTA-4012', { cid })
    this.#disks.keep(cid, known ?? sealed.slice(), this.#life.site)
  }

  async getSealed(cid: Digest, limitBytes: number): Promise<Uint8Array | null> {
    const sealed = this.#disks.holds(cid, this.#life.site) ? this.#disks.read(cid) : undefined
    if (sealed === undefined || piecesOf(sealed) !== null) return null
    return sealed.length <= limitBytes ? sealed : null
  }

  async putPlain(bytes: Uint8Array, signal: AbortSignal): Promise<Digest> {
    signal.throwIfAborted()
    return this.#keep(bytes.slice())
  }

  getPlain(cid: Digest, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array> {
    return this.#bytes(cid, signal, providers)
  }

  async has(cid: Digest): Promise<boolean> {
    const holds = (name: Digest): boolean => this.#disks.holds(name, this.#life.site)
    return holds(cid) && this.#pieces(cid).every(holds)
  }

  async drop(cid: Digest): Promise<void> {
    for (const piece of this.#pieces(cid)) this.#disks.drop(piece, this.#life.site)
    this.#disks.drop(cid, this.#life.site)
  }

  #pieces(cid: Digest): Digest[] {
    const tree = this.#disks.read(cid)
    return (tree === undefined ? [] : (piecesOf(tree) ?? [])).filter((piece) => piece !== null)
  }

  #keep(bytes: Uint8Array): Digest {
    this.#life.trouble.checkDisk('an object')
    const cid = cidOf(bytes)
    this.#disks.keep(cid, bytes, this.#life.site)
    return cid
  }

  #keepSlice(plaintext: Uint8Array, root: Digest, kind: ObjectKind, key: EpochKey): SealedSlice {
    return { pieces: plaintext.length === 0 ? [] : [this.#keep(seal(plaintext, kind, root, key))] }
  }

  /** Of each slice that is not empty there is one piece; where its bytes are known, they are as many as the slice has. */
  #checkPieces(slices: readonly SealedSlice[], { lengthBytes }: Outline): void {
    for (const { slice, start, end } of slicesOf(lengthBytes, Math.max(1, slices.length))) {
      const named = slices[slice]?.pieces ?? []
      const other = named.some((piece) => (this.#disks.lengthOf(piece) ?? sealedLength(end - start)) !== sealedLength(end - start))
      const pieces = start < end ? 1 : 0
      if (other || named.length !== pieces) throw new RotaError('ROTA-4016', { slice, count: named.length, pieces })
    }
  }

  #keepTree(slices: readonly SealedSlice[], outline: Outline, kind: ObjectKind, key: EpochKey): ObjectRef {
    return { cid: this.#keep(sealTree(slices, outline, kind, key)), kind, root: outline.root, slices: slices.length }
  }

  #open(ref: ObjectRef, key: EpochKey, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array> {
    return this.#life.at('store.get', async () => {
      signal.throwIfAborted()
      if (!this.#disks.holds(ref.cid, this.#life.site)) await this.#fetch(ref.cid, providers, signal)
      const plaintext = this.#disks.open(ref, key)
      if (plaintext === null) throw new RotaError('ROTA-4011', { cid: ref.cid, why: 'its key or root is another' })
      return plaintext
    })
  }

  #bytes(cid: Digest, signal: AbortSignal, providers?: readonly SiteId[]): Promise<Uint8Array> {
    return this.#life.at('store.get', async () => {
      signal.throwIfAborted()
      if (!this.#disks.holds(cid, this.#life.site)) await this.#fetch(cid, providers, signal)
      return this.#disks.read(cid) as Uint8Array
    })
  }

  /** Asks those who should have it first, then everybody. */
  async #fetch(cid: Digest, providers: readonly SiteId[] | undefined, signal: AbortSignal): Promise<void> {
    await this.#network.answered()
    signal.throwIfAborted()
    this.#life.trouble.checkDisk('an object')
    const me = this.#life.site
    const from = [...(providers ?? []), ...this.#disks.holdersOf(cid)].find((site) => site !== me && this.#stores.get(site)?.serves(cid, me))
    const lengthBytes = this.#disks.lengthOf(cid)
    if (from === undefined || lengthBytes === undefined || this.#network.losesAnswer()) throw new RotaError('ROTA-4010', { cid })
    ;(this.#stores.get(from) as SimModelStore).traffic.bytesOut += lengthBytes
    this.traffic.bytesIn += lengthBytes
    this.#disks.copy(cid, from, me)
  }

  /** Whether this site gives `asker` the bytes that the name stands for: other bytes are seen at once, and asked for elsewhere. */
  serves(cid: Digest, asker: SiteId): boolean {
    const can = this.#isMember(asker) && this.#disks.holds(cid, this.#life.site) && this.#network.reaches(asker, this.#life.site)
    if (can && this.#lies.withholds !== undefined) this.#lies.withholds()
    if (!can || this.#lies.withholds !== undefined) return false
    if (this.#lies.forges === undefined || asker % 2 === 0) return true
    this.#lies.forges()
    return cidOf(altered(this.#disks.read(cid) as Uint8Array)) === cid
  }
}

/** What a site does to those who ask it for objects; each is told when it is done. */
export interface StoreLies {
  /** Keeps back what others ask of it. */
  readonly withholds?: () => void
  /** Gives sites of odd ids other bytes. */
  readonly forges?: () => void
}

function altered(bytes: Uint8Array): Uint8Array {
  const other = bytes.slice()
  other[0] = (other[0] ?? 0) ^ 1
  return other
}
