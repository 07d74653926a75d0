import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it, type TestContext } from 'node:test'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { type Outline, outlineOf, rootOfUnits } from '#core/commit/outline.ts'
import { slicesOf } from '#core/commit/slices.ts'
import type { ModelStore, ObjectRef, SealedSlice } from '#ports/model-store.ts'

/** Four sites that are members of each other and connected. */
export interface StoreWorld {
  readonly sites: readonly { readonly site: SiteId; readonly store: ModelStore }[]
  /** Somebody who knows all members, and whom no member knows. */
  stranger(): Promise<ModelStore>
  /** Lets the world go on while `work` is done. */
  during<T>(work: Promise<T>): Promise<T>
  /** What can go wrong on disks and lines; only where there are some. */
  readonly faults?: StoreFaults
  stop(): Promise<void>
}

export interface StoreFaults {
  /** Changes one byte of one stored block of the object. */
  corrupt(site: SiteId, cid: Digest): Promise<void>
  /** From now on the site answers every request with wrong bytes. */
  lie(site: SiteId): Promise<void>
  /** From now on each stream of the site ends, as if all had been said, after so many blocks. */
  endEarly(site: SiteId, blocks: number): Promise<void>
  /** The site is gone after it has served so many more blocks. */
  dieAfter(site: SiteId, blocks: number): Promise<void>
  /** From now on the site takes requests and answers none. */
  stall(site: SiteId): Promise<void>
}

const KEY = new Uint8Array(32).fill(7)
const KIB = 1024
const MIB = 1024 * KIB
/** Around one unit, one piece, and several of each. */
const SIZES = [0, 112, 64 * KIB, 64 * KIB + 1, 200 * KIB, MIB, MIB + 1, 3 * MIB - 7, 5 * MIB + 3]
/** Frames, the tree's nodes and the outline: what fetching costs beside the pieces. */
const BESIDE = 32 * KIB

/**
 * given four members that are connected
 * ├── when an object is put in any number of slices, any other member gets the same bytes by its CID, asked for by name or not, and it is on that
 * │   member's disk then
 * ├── when two sites put the same bytes, they get the same CID; with another key, kind, byte or number of slices, another one
 * ├── when nobody has an object, ROTA-4010 to try again
 * ├── when the reference names another root, kind or number of slices, or the key is another, ROTA-4011
 * ├── given slices
 * │   ├── when one is read, its bytes alone come, each in its place, and no other slice is fetched; a second reading fetches nothing
 * │   ├── when none is asked for, the outline comes alone
 * │   ├── when slices were put at different sites, whoever joins them has the CID of the whole, and others read each from its holder
 * │   ├── when pieces to join are too few or too many, ROTA-4016
 * │   ├── when one piece is not what the outline says, ROTA-4011, the taker has seen nothing wrong, and the other slices can be read
 * │   └── when the outline has another root, or the tree another shape, ROTA-4011
 * ├── when an object came inside a message, it is kept if it hashes to its CID, else ROTA-4012 and nothing is kept
 * ├── when an object is dropped, it is gone here and not elsewhere; of a part held, the part
 * ├── when a stranger asks, it gets nothing
 * ├── when a signal aborts, the call ends with its reason
 * └── given faults
 *     ├── when a block rots on disk, it is fetched again
 *     ├── when a provider's block rots, the provider drops it, and another is asked
 *     ├── when a provider lies, ROTA-4015, or another's bytes are taken
 *     ├── when streams end early, the rest is fetched over new ones
 *     ├── when a provider dies halfway, another goes on
 *     └── when a provider makes no progress, another is asked
 */
export function storeCompliance(name: string, makeWorld: () => Promise<StoreWorld>): void {
  describe(`store: ${name}`, () => {
    let world: StoreWorld
    before(async () => {
      world = await makeWorld()
    })
    after(() => world?.stop())

    const signal = () => AbortSignal.timeout(20_000)
    const store = (index: number) => world.sites[index]!.store
    const site = (index: number) => world.sites[index]!.site
    const putAs = (index: number, bytes: Uint8Array, outline: Outline, slices?: number) =>
      world.during(store(index).put(bytes, outline, 'update', KEY, signal(), slices))
    const put = (index: number, bytes: Uint8Array, kind: ObjectRef['kind'] = 'update', slices?: number) =>
      world.during(store(index).put(bytes, outlineFor(bytes), kind, KEY, signal(), slices))
    const get = (index: number, ref: ObjectRef, providers?: readonly SiteId[]) => world.during(store(index).get(ref, KEY, signal(), providers))
    const fails = (work: Promise<unknown>, code: ErrorCode) =>
      assert.rejects(world.during(work), (error) => isRotaError(error, code) || assert.fail(`${String(error)} is not ${code}`))

    /** What a reading brings: the bytes in their places, and which of them came. */
    const read = async (index: number, ref: ObjectRef, slices?: readonly number[], providers?: (slice: number) => readonly SiteId[]) => {
      const parts: { readonly at: number; readonly part: Uint8Array }[] = []
      const wanted = { ...(slices === undefined ? {} : { slices }), ...(providers === undefined ? {} : { providers }) }
      const take = (part: Uint8Array, at: number) => {
        parts.push({ at, part: part.slice() })
      }
      const outline = await world.during(store(index).read(ref, KEY, signal(), wanted, take))
      return { outline, parts }
    }
    const sameAs = (
      whole: Uint8Array,
      parts: readonly { readonly at: number; readonly part: Uint8Array }[],
      ranges: readonly (readonly [number, number])[],
    ) => {
      for (const { at, part } of parts) assert.ok(Buffer.from(whole.buffer, whole.byteOffset + at, part.length).equals(part), `the bytes at ${at}`)
      const sorted = parts.filter(({ part }) => part.length > 0).sort((a, b) => a.at - b.at)
      const joined: [number, number][] = []
      for (const { at, part } of sorted) {
        const last = joined.at(-1)
        if (last !== undefined && last[1] === at) last[1] = at + part.length
        else joined.push([at, at + part.length])
      }
      assert.deepEqual(joined, ranges)
    }

    for (const slices of [1, 3, 7]) {
      for (const size of SIZES) {
        it(`brings ${size} bytes in ${slices} slices to others`, async () => {
          const bytes = bytesOf(`in ${slices}`, size)
          const ref = await put(0, bytes, 'update', slices)
          assert.ok(Buffer.from(bytes).equals(await get(1, ref, [site(0)])), 'by a named provider')
          assert.ok(Buffer.from(bytes).equals(await get(2, ref)), 'by whoever has it')
          assert.ok(Buffer.from(bytes).equals(await get(0, ref)), 'from its own disk')
          assert.deepEqual(await Promise.all([0, 1, 2, 3].map((index) => world.during(store(index).has(ref.cid)))), [true, true, true, false])
          const all = await read(1, ref)
          assert.deepEqual(all.outline, outlineFor(bytes))
          sameAs(bytes, all.parts, size === 0 ? [] : [[0, size]])
          assert.deepEqual(await world.during(store(2).outline(ref, KEY, signal())), outlineFor(bytes))
        })

        it(`makes the same object of ${size} bytes in ${slices} slices that were put one by one`, async () => {
          const bytes = bytesOf(`joined ${slices}`, size)
          const outline = outlineFor(bytes)
          const ref = await put(0, bytes, 'sum', slices)
          const sealed = await putSlices((slice) => store(1 + (slice % 2)), bytes, outline, slices)
          const joined = await world.during(store(3).join(sealed, outline, 'sum', KEY, signal()))
          assert.deepEqual([joined.cid, joined.kind, joined.root], [ref.cid, ref.kind, ref.root])
          const before = store(3).traffic.bytesIn
          const { parts } = await read(3, ref, undefined, (slice) => [site(1 + (slice % 2))])
          sameAs(bytes, parts, size === 0 ? [] : [[0, size]])
          assert.ok(store(3).traffic.bytesIn - before <= size + BESIDE, 'each slice came once')
          assert.ok(await world.during(store(3).has(ref.cid)))
        })
      }
    }

    const putSlices = async (holder: (slice: number) => ModelStore, bytes: Uint8Array, outline: Outline, slices: number): Promise<SealedSlice[]> => {
      const sealed: SealedSlice[] = []
      for (const { slice, start, end, firstUnit, endUnit } of slicesOf(bytes.length, slices)) {
        const root = rootOfUnits(outline.units.slice(firstUnit, endUnit), sha256)
        sealed.push(await world.during(holder(slice).putSlice(bytes.subarray(start, end), root, 'sum', KEY, signal())))
      }
      return sealed
    }

    it('fetches of one slice nothing but that slice', async () => {
      const bytes = bytesOf('one slice', 4 * MIB + 99)
      const ref = await put(0, bytes, 'update', 3)
      const [first, second, third] = slicesOf(bytes.length, 3) as readonly Cut[] as [Cut, Cut, Cut]
      const begun = store(1).traffic.bytesIn
      sameAs(bytes, (await read(1, ref, [1], () => [site(0)])).parts, [[second.start, second.end]])
      const fetched = store(1).traffic.bytesIn
      assert.ok(fetched - begun < second.end - second.start + BESIDE, `${fetched - begun} bytes came`)
      assert.equal(await world.during(store(1).has(ref.cid)), false, 'a part is not the whole')
      assert.equal(await world.during(store(1).getSealed(ref.cid, 8 * MIB)), null, 'nor is it sent as one')
      sameAs(bytes, (await read(1, ref, [1])).parts, [[second.start, second.end]])
      assert.ok(store(1).traffic.bytesIn - fetched < BESIDE, 'it is here already')
      sameAs(bytes, (await read(1, ref, [0, 2])).parts, [
        [first.start, first.end],
        [third.start, third.end],
      ])
      assert.equal(await world.during(store(1).has(ref.cid)), true)
      assert.ok(store(1).traffic.bytesIn - begun < bytes.length + 2 * BESIDE, 'nothing came twice')
    })

    it('serves the part that it has', async () => {
      const bytes = bytesOf('a part served', 3 * MIB)
      const ref = await put(0, bytes, 'update', 3)
      await read(1, ref, [2], () => [site(0)])
      const { start, end } = slicesOf(bytes.length, 3)[2] as Cut
      const before = store(0).traffic.bytesOut
      sameAs(bytes, (await read(2, ref, [2], () => [site(1)])).parts, [[start, end]])
      assert.equal(store(0).traffic.bytesOut, before, 'only the named provider was asked')
      await fails(
        world.sites[3]!.store.read({ ...ref, cid: rootOf(bytesOf('elsewhere', 7)) }, KEY, signal(), { slices: [2] }, () => undefined),
        'ROTA-4010',
      )
    })

    it('brings the outline alone', async () => {
      const bytes = bytesOf('outlined', 2 * MIB)
      const ref = await put(0, bytes, 'update', 3)
      const before = store(1).traffic.bytesIn
      assert.deepEqual(await world.during(store(1).outline(ref, KEY, signal(), [site(0)])), outlineFor(bytes))
      const { outline, parts } = await read(1, ref, [])
      assert.deepEqual([outline, parts], [outlineFor(bytes), []])
      assert.ok(store(1).traffic.bytesIn - before < BESIDE)
      await fails(store(1).outline(ref, new Uint8Array(32), signal()), 'ROTA-4011')
      await fails(store(1).outline({ ...ref, root: rootOf(bytes.subarray(1)) }, KEY, signal()), 'ROTA-4011')
    })

    it('joins no other number of pieces than the object has', async () => {
      const bytes = bytesOf('too many', 3 * MIB)
      const outline = outlineFor(bytes)
      const sealed = await putSlices(() => store(0), bytes, outline, 2)
      const join = (slices: readonly SealedSlice[]) => store(0).join(slices, outline, 'sum', KEY, signal())
      await fails(join([{ pieces: sealed[0]!.pieces.slice(1) }, sealed[1]!]), 'ROTA-4016')
      await fails(join([sealed[0]!, { pieces: [...sealed[1]!.pieces, ...sealed[1]!.pieces] }]), 'ROTA-4016')
      await fails(join(sealed.slice(1)), 'ROTA-4016')
      assert.equal((await world.during(join(sealed))).root, outline.root)
    })

    it('lets the taker see no byte that is not in the outline', async () => {
      const bytes = bytesOf('a wrong piece', 4 * MIB)
      const outline = outlineFor(bytes)
      const [first, second] = slicesOf(bytes.length, 2) as readonly Cut[] as [Cut, Cut]
      const forged = await putAs(0, flipped(bytes), outline, 2)
      const seen: { readonly at: number; readonly part: Uint8Array }[] = []
      const taking = (slices: readonly number[]) =>
        store(1).read(forged, KEY, signal(), { slices }, (part, at) => {
          seen.push({ at, part: part.slice() })
        })
      await fails(taking([0, 1]), 'ROTA-4011')
      for (const { at, part } of seen) assert.ok(Buffer.from(bytes.buffer, at, part.length).equals(part))
      await fails(taking([1]), 'ROTA-4011')
      await fails(store(1).get(forged, KEY, signal()), 'ROTA-4011')
      sameAs(bytes, (await read(1, forged, [0])).parts, [[first.start, first.end]])
      const [right] = await putSlices(() => store(0), bytes, outline, 2)
      const [, other] = await putSlices(() => store(0), bytesOf('of another vector', 4 * MIB), outline, 2)
      const joined = await world.during(store(0).join([right!, other!], outline, 'sum', KEY, signal()))
      sameAs(bytes, (await read(2, joined, [0])).parts, [[first.start, first.end]])
      await fails(
        store(2).read(joined, KEY, signal(), { slices: [1] }, () => assert.fail(`nothing of ${second.start} is right`)),
        'ROTA-4011',
      )
    })

    it('rejects an outline that has another root, and trees that no store makes', async () => {
      const bytes = bytesOf('a wrong outline', 3 * MIB)
      const outline = outlineFor(bytes)
      const [one, two, ...rest] = outline.units as [Digest, Digest, ...Digest[]]
      const exchanged = await putAs(0, bytes, { ...outline, units: [two, one, ...rest] }, 2)
      await fails(store(1).outline(exchanged, KEY, signal()), 'ROTA-4011')
      await fails(store(1).get(exchanged, KEY, signal()), 'ROTA-4011')
      const ref = await put(0, bytes, 'update', 2)
      for (const slices of [1, 3, 7]) await fails(store(1).get({ ...ref, slices }, KEY, signal()), 'ROTA-4011')
    })

    it('gives the same bytes the same CID at every site, and others another', async () => {
      const bytes = bytesOf('twice', 5000)
      const ref = await put(0, bytes)
      assert.deepEqual(await put(3, bytes), ref)
      assert.deepEqual(await put(0, bytes), ref)
      const other = [
        await put(0, bytes, 'sum'),
        await put(0, bytesOf('other', 5000)),
        await world.during(store(0).put(bytes, outlineFor(bytes), 'update', new Uint8Array(32).fill(8), signal())),
      ]
      assert.equal(new Set([ref, ...other].map(({ cid }) => cid)).size, 4)
    })

    it('keeps plain objects by their CID alone', async () => {
      const bytes = bytesOf('a protocol', 3000)
      const cid = await world.during(store(0).putPlain(bytes, signal()))
      assert.equal(await world.during(store(1).putPlain(bytes, signal())), cid)
      assert.ok(Buffer.from(bytes).equals(await world.during(store(2).getPlain(cid, signal()))))
      await fails(store(2).getPlain(rootOf(bytes), signal()), 'ROTA-4010')
    })

    it('says that nobody has an object', () =>
      fails(store(0).get({ cid: rootOf(bytesOf('no such', 10)), kind: 'update', root: rootOf(bytesOf('no such', 10)) }, KEY, signal()), 'ROTA-4010'))

    it('rejects what is not what the reference names', async () => {
      const bytes = bytesOf('mine', 2000)
      const ref = await put(0, bytes)
      await fails(store(1).get({ ...ref, root: rootOf(bytesOf('yours', 2000)) }, KEY, signal()), 'ROTA-4011')
      await fails(store(1).get({ ...ref, kind: 'sum' }, KEY, signal()), 'ROTA-4011')
      await fails(store(1).get(ref, new Uint8Array(32), signal()), 'ROTA-4011')
      const forged = await putAs(0, bytes, outlineFor(bytesOf('claimed', 2000)))
      await fails(store(1).get(forged, KEY, signal()), 'ROTA-4011')
    })

    it('takes an object that came inside a message, if it hashes to its CID', async () => {
      const bytes = bytesOf('inline', 112)
      const ref = await put(0, bytes)
      const sealed = await world.during(store(0).getSealed(ref.cid, 256 * 1024))
      assert.ok(sealed !== null)
      assert.equal(await world.during(store(0).getSealed(ref.cid, 100)), null, 'too long for the message')
      assert.equal(await world.during(store(3).getSealed(ref.cid, 256 * 1024)), null, 'not here')
      await fails(store(3).putSealed(flipped(sealed), ref.cid), 'ROTA-4012')
      assert.equal(await world.during(store(3).has(ref.cid)), false)
      const before = store(3).traffic.bytesIn
      await world.during(store(3).putSealed(sealed, ref.cid))
      await world.during(store(3).putSealed(sealed, ref.cid))
      assert.ok(Buffer.from(bytes).equals(await get(3, ref)))
      assert.equal(store(3).traffic.bytesIn, before, 'nothing was fetched')
    })

    it('takes an object of several units from a message too', async () => {
      for (const size of [64 * KIB, 64 * KIB + 1, 250 * KIB]) {
        const bytes = bytesOf('inline in units', size)
        const ref = await put(0, bytes)
        const sealed = await world.during(store(0).getSealed(ref.cid, 256 * KIB))
        assert.ok(sealed !== null)
        await fails(store(3).putSealed(flipped(sealed), ref.cid), 'ROTA-4012')
        await fails(store(3).putSealed(sealed.subarray(1), ref.cid), 'ROTA-4012')
        await world.during(store(3).putSealed(sealed, ref.cid))
        assert.equal(await world.during(store(3).has(ref.cid)), true)
        assert.ok(Buffer.from(bytes).equals(await get(3, ref)))
      }
      await fails(store(3).putSealed(new Uint8Array(3), rootOf(new Uint8Array(3))), 'ROTA-4012')
    })

    it('drops the parts that it holds', async () => {
      const bytes = bytesOf('dropped parts', 3 * MIB)
      const ref = await put(0, bytes, 'update', 3)
      await read(1, ref, [0])
      await world.during(store(1).drop(ref.cid))
      const before = store(1).traffic.bytesIn
      await read(1, ref, [0])
      assert.ok(store(1).traffic.bytesIn - before > MIB - BESIDE, 'it was fetched again')
    })

    it('drops its own copy only', async () => {
      const ref = await put(0, bytesOf('dropped', MIB + 5))
      await get(1, ref)
      await world.during(store(0).drop(ref.cid))
      await world.during(store(0).drop(ref.cid))
      assert.deepEqual([await world.during(store(0).has(ref.cid)), await world.during(store(1).has(ref.cid))], [false, true])
      assert.equal((await get(0, ref)).length, MIB + 5)
    })

    it('gives strangers nothing', async () => {
      const ref = await put(0, bytesOf('among us', 500))
      const stranger = await world.stranger()
      await fails(stranger.get(ref, KEY, AbortSignal.timeout(5_000), [site(0)]), 'ROTA-4010')
    })

    it('ends when the signal aborts', async () => {
      const ref = await put(0, bytesOf('aborted', 500))
      const reason = new Error('enough')
      await assert.rejects(world.during(store(1).get(ref, KEY, AbortSignal.abort(reason))), reason)
      await assert.rejects(world.during(store(1).put(bytesOf('x', 10), outlineFor(bytesOf('x', 10)), 'update', KEY, AbortSignal.abort(reason))), reason)
      await assert.rejects(world.during(store(1).read(ref, KEY, AbortSignal.abort(reason), {}, () => assert.fail('aborted'))), reason)
    })

    const withFaults = (what: string, run: (faults: StoreFaults) => Promise<void>) =>
      it(what, async (t: TestContext) =>
        world.faults === undefined ? t.skip('this implementation has no disks and lines that could fail') : run(world.faults),
      )

    withFaults('fetches again what rotted on its own disk', async (faults) => {
      const bytes = bytesOf('rotten', 2 * MIB)
      const ref = await put(0, bytes)
      await get(1, ref)
      await faults.corrupt(site(0), ref.cid)
      assert.ok(Buffer.from(bytes).equals(await get(0, ref)))
      await faults.corrupt(site(0), ref.cid)
      assert.equal(await world.during(store(0).getSealed(ref.cid, 4 * MIB)), null, 'a rotten object is not sent')
      const cid = await world.during(store(0).putPlain(bytes, signal()))
      await world.during(store(1).getPlain(cid, signal()))
      await faults.corrupt(site(1), cid)
      assert.ok(Buffer.from(bytes).equals(await world.during(store(1).getPlain(cid, signal()))))
    })

    withFaults('asks another when a provider’s block rotted, and the provider drops it', async (faults) => {
      const bytes = bytesOf('rotten there', 2 * MIB)
      const ref = await put(0, bytes)
      await get(1, ref)
      await faults.corrupt(site(0), ref.cid)
      assert.ok(Buffer.from(bytes).equals(await get(2, ref, [site(0)])))
      assert.equal(await world.during(store(0).has(ref.cid)), false)
    })

    withFaults('takes a slice from several providers, and from others when they fail', async (faults) => {
      const bytes = bytesOf('provided', 6 * MIB)
      const ref = await put(1, bytes, 'update', 3)
      await put(2, bytes, 'update', 3)
      const out = () => [1, 2].map((index) => store(index).traffic.bytesOut)
      const before = out()
      sameAs(bytes, (await read(0, ref, [1, 2], () => [site(1), site(2)])).parts, [[2 * MIB, 6 * MIB]])
      assert.ok(
        out().every((bytesOut, index) => bytesOut - before[index]! > MIB / 2),
        'both gave some',
      )
      await faults.corrupt(site(2), ref.cid)
      sameAs(bytes, (await read(3, ref, [2], () => [site(2)])).parts, [[4 * MIB, 6 * MIB]])
    })

    withFaults('fetches the rest over new streams when they end early', async (faults) => {
      const bytes = bytesOf('cut', 5 * MIB)
      const ref = await put(3, bytes)
      await faults.endEarly(site(3), 2)
      assert.ok(Buffer.from(bytes).equals(await get(0, ref, [site(3)])))
    })

    withFaults('takes nothing from a liar', async (faults) => {
      const bytes = bytesOf('true', 2 * MIB)
      const ref = await put(3, bytes)
      await faults.lie(site(3))
      await fails(store(0).get(ref, KEY, signal(), [site(3)]), 'ROTA-4015')
      await put(1, bytes)
      assert.ok(Buffer.from(bytes).equals(await get(0, ref, [site(3)])))
    })

    withFaults('asks another when a provider makes no progress', async (faults) => {
      const bytes = bytesOf('stalled', MIB)
      const ref = await put(1, bytes)
      await put(3, bytes)
      await faults.stall(site(3))
      assert.ok(Buffer.from(bytes).equals(await get(0, ref, [site(3)])))
    })

    withFaults('goes on with another when a provider dies halfway', async (faults) => {
      const bytes = bytesOf('halfway', 6 * MIB)
      const ref = await put(1, bytes)
      await put(2, bytes)
      await faults.dieAfter(site(2), 3)
      const before = store(0).traffic.bytesIn
      assert.ok(Buffer.from(bytes).equals(await get(0, ref, [site(2)])))
      assert.ok(store(0).traffic.bytesIn - before < 10 * MIB, 'what had arrived was kept')
    })
  })
}

type Cut = { readonly start: number; readonly end: number }

const sha256 = (...parts: Uint8Array[]): Uint8Array => createHash('sha256').update(Buffer.concat(parts)).digest()

export const rootOf = (bytes: Uint8Array): Digest => merkleRoot(bytes, sha256)

const outlineFor = (bytes: Uint8Array): Outline => outlineOf(bytes, sha256)

/** Bytes that follow from words, different in every KiB. */
function bytesOf(words: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 1024)
    bytes.set(
      createHash('sha256')
        .update(`${words} ${at}`)
        .digest()
        .subarray(0, Math.min(32, size - at)),
      at,
    )
  return bytes
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy[copy.length - 1]! ^= 1
  return copy
}
