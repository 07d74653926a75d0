import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { giveMemoryBack, zeroMemory } from '#base/large-memory.ts'
import { type Slice, slicesOf } from '#core/commit/slices.ts'
import { RingAdder } from '#core/ring/add.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import { VectorCheck } from '#core/ring/vector-check.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { type Adding, type AddingRound, type NamedUpdate, refOf, strayIn } from './adding.ts'

/** A sum under way. Of a vector's length, but memory that no slice was added to is never touched. */
interface Running {
  /** Made when it is first needed. */
  adder: RingAdder | null
  /** Places of the parts that were added, by site: a read that broke off goes on where it was. */
  readonly parts: Map<SiteId, Set<number>>
  /** Slices of which all was added, by site. */
  readonly whole: Map<SiteId, Set<number>>
  /** Slices into which this site fills what others added up, and those of which all has come: a read that broke off leaves bytes behind. */
  readonly foreign: Set<number>
  readonly filled: Set<number>
}

/**
 * Large vectors: added as they arrive, while their plaintext is at hand, and never kept. Nothing more joins once a sum was asked for: then
 * what belongs to the frozen set and is not in yet is read again, and a sum that something else was added to begins anew.
 */
export function addInSlices(store: ModelStore, round: AddingRound): Adding {
  const lengthBytes = vectorBytes(round.layout)
  const cuts = slicesOf(lengthBytes, round.cut)
  const looks = new Map<SiteId, { readonly check: VectorCheck; readonly seen: Set<number> }>()
  const fresh = (): Running => ({
    adder: null,
    parts: new Map(),
    whole: new Map(),
    foreign: new Set(),
    filled: new Set(),
  })
  let running = fresh()
  let summing = false

  const adderOf = (total: Running): RingAdder => (total.adder ??= new RingAdder(round.layout.wordBits, lengthBytes, zeroMemory(lengthBytes)))

  function addPart(total: Running, site: SiteId, part: Uint8Array, offset: number): void {
    const parts = total.parts.get(site) ?? new Set()
    total.parts.set(site, parts)
    if (parts.has(offset)) return
    adderOf(total).add(part, offset)
    parts.add(offset)
  }

  const done = (total: Running, site: SiteId, slices: readonly number[]): void =>
    void total.whole.set(site, new Set([...(total.whole.get(site) ?? []), ...slices]))

  function refuse(site: SiteId, why: string): never {
    // What of it was added already cannot be told apart any more. Once a sum was asked for, all that is in it belongs to the frozen set.
    if (!summing && running.parts.has(site)) running = fresh()
    throw new RotaError('ROTA-5506', { site, why })
  }

  async function take(update: NamedUpdate, slices: readonly number[], offered: Uint8Array | undefined, signal: AbortSignal): Promise<void> {
    const { site } = update
    const ref = refOf(update, round)
    const { lengthBytes: length } = offered === undefined ? await store.outline(ref, round.key, signal, [site]) : { lengthBytes: offered.length }
    const { check, seen } = looks.get(site) ?? { check: new VectorCheck(round.layout, length), seen: new Set<number>() }
    looks.set(site, { check, seen })
    if (length !== lengthBytes) return refuse(site, check.fault() ?? 'another length')
    // While this one is read another may be refused, and the sum begin anew: what went into the old one is read again later.
    const total = running
    const isOpen = (): boolean => !summing && total === running
    let stray: string | null = null
    const look = (part: Uint8Array, offset: number): void => {
      if (round.masked === true) stray ??= strayIn(round, site, part, offset)
      else if (!seen.has(offset)) check.look(part, offset)
      seen.add(offset)
      if (isOpen()) addPart(total, site, part, offset)
    }
    if (offered === undefined) await store.read(ref, round.key, signal, { slices, providers: () => [site] }, look)
    else for (const { slice, start, end } of cuts) if (slices.includes(slice) && start < end) look(offered.subarray(start, end), start)
    const why = round.masked === true ? stray : check.fault()
    if (why !== null) refuse(site, why)
    if (isOpen()) done(total, site, slices)
    // It was made here, is in the store, and nobody reads it again.
    if (offered !== undefined) giveMemoryBack(offered.buffer)
  }

  /** The running sum when nothing but these is in it; else an empty one. */
  function totalOf(updates: readonly NamedUpdate[]): Running {
    const sites = new Set(updates.map(({ site }) => site))
    if ([...running.parts.keys()].some((site) => !sites.has(site))) running = fresh()
    return running
  }

  /** Makes room in slices that hold what others added up, in whole or in part: this site adds them up from nothing. */
  function clear({ adder, parts, whole, foreign, filled }: Running, slices: readonly number[]): void {
    for (const slice of slices) {
      if (!foreign.delete(slice)) continue
      const { start, end } = cuts[slice] as Slice
      adder?.sum.bytes.fill(0, start, end)
      filled.delete(slice)
      for (const known of whole.values()) known.delete(slice)
      for (const places of parts.values()) for (const at of places) if (at >= start && at < end) places.delete(at)
    }
  }

  return {
    take,
    async sum(updates, slices, signal) {
      summing = true
      const total = totalOf(updates)
      clear(total, slices)
      for (const update of updates) {
        const missing = slices.filter((slice) => !total.whole.get(update.site)?.has(slice))
        if (missing.length === 0) continue
        await store.read(refOf(update, round), round.key, signal, { slices: missing, providers: () => [update.site] }, (part, offset) =>
          addPart(total, update.site, part, offset),
        )
        done(total, update.site, missing)
      }
      return adderOf(total).sum.bytes
    },
    release() {
      if (running.adder !== null) giveMemoryBack(running.adder.sum.bytes.buffer)
      running = fresh()
    },
    async fill(sum, slices, providers, signal) {
      const { foreign, filled } = running
      const { bytes } = adderOf(running).sum
      const missing = slices.filter((slice) => !filled.has(slice))
      if (missing.length === 0) return
      for (const slice of missing) foreign.add(slice)
      await store.read(sum, round.key, signal, { slices: missing, providers }, (part, offset) => bytes.set(part, offset))
      for (const slice of missing) filled.add(slice)
    },
  }
}
