import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it, type TestContext } from 'node:test'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import type { ModelStore, ObjectRef } from '#ports/model-store.ts'

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
const MIB = 1024 * 1024

/**
 * given four members that are connected
 * ├── when an object is put, any other member gets the same bytes by its CID, asked for by name or not, and it is on that member's disk then
 * ├── when two sites put the same bytes, they get the same CID; with another key, kind or byte, another one
 * ├── when nobody has an object, ROTA-4010 to try again
 * ├── when the reference names another root or kind, or the key is another, ROTA-4011
 * ├── when an object came inside a message, it is kept if it hashes to its CID, else ROTA-4012 and nothing is kept
 * ├── when an object is dropped, it is gone here and not elsewhere
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
    const put = (index: number, bytes: Uint8Array, kind: ObjectRef['kind'] = 'update') =>
      world.during(store(index).put(bytes, kind, rootOf(bytes), KEY, signal()))
    const get = (index: number, ref: ObjectRef, providers?: readonly SiteId[]) => world.during(store(index).get(ref, KEY, signal(), providers))
    const fails = (work: Promise<unknown>, code: ErrorCode) =>
      assert.rejects(world.during(work), (error) => isRotaError(error, code) || assert.fail(`${String(error)} is not ${code}`))

    for (const [what, size] of [
      ['nothing', 0],
      ['14 weights', 112],
      ['a block', MIB],
      ['more than a block', MIB + 1],
      ['several blocks', 3 * MIB - 7],
    ] as const) {
      it(`brings ${what} to others`, async () => {
        const bytes = bytesOf(`${what}`, size)
        const ref = await put(0, bytes)
        assert.ok(Buffer.from(bytes).equals(await get(1, ref, [site(0)])), 'by a named provider')
        assert.ok(Buffer.from(bytes).equals(await get(2, ref)), 'by whoever has it')
        assert.ok(Buffer.from(bytes).equals(await get(0, ref)), 'from its own disk')
        assert.deepEqual(await Promise.all([0, 1, 2, 3].map((index) => world.during(store(index).has(ref.cid)))), [true, true, true, false])
      })
    }

    it('gives the same bytes the same CID at every site, and others another', async () => {
      const bytes = bytesOf('twice', 5000)
      const ref = await put(0, bytes)
      assert.deepEqual(await put(3, bytes), ref)
      assert.deepEqual(await put(0, bytes), ref)
      const other = [
        await put(0, bytes, 'sum'),
        await put(0, bytesOf('other', 5000)),
        await world.during(store(0).put(bytes, 'update', ref.root, new Uint8Array(32).fill(8), signal())),
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
      const falseRoot = rootOf(bytesOf('claimed', 2000))
      const forged = await world.during(store(0).put(bytes, 'update', falseRoot, KEY, signal()))
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
      await assert.rejects(world.during(store(1).put(bytesOf('x', 10), 'update', ref.root, KEY, AbortSignal.abort(reason))), reason)
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

export const rootOf = (bytes: Uint8Array): Digest => merkleRoot(bytes, (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest())

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
