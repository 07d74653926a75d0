import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimWorld } from '#adapters/sim/world.ts'
import { sha256 } from '#app/sha256.ts'
import { equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { roundNo, runId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { layoutOf, vectorBytes } from '#core/ring/layout.ts'
import type { ModelStore } from '#ports/model-store.ts'
import type { NamedUpdate } from '#round/updates/adding.ts'
import { addInSlices } from '#round/updates/in-slices.ts'

// given updates that are added as they arrive
// ├── when one is refused while another has been read and not yet counted, the sum begins anew, and the other is still in it
// └── given a sum of which others added up some slices
//     ├── when filling them in breaks off and this site adds them up after all, nothing of what came is left in them
//     ├── when they were added up here before they were filled in, and are added up once more, they are whole
//     └── when an update of the frozen set is refused after the sum was asked for, slices are filled into that same sum

const layout = layoutOf('exact', 64, [{ name: 'x', length: 4, bound: 1_000, fractionBits: 0 }])
const key = new Uint8Array(32)
const { signal } = new AbortController()

/** Four coordinates of this value after a salt of zeros. */
function vector(value: bigint): Uint8Array {
  const bytes = new Uint8Array(vectorBytes(layout))
  for (let i = 0; i < 4; i++) new DataView(bytes.buffer).setBigInt64(32 + 8 * i, value, true)
  return bytes
}

describe('a sum that is added slice by slice', () => {
  it('loses no update when another is refused beside it', async () => {
    const world = SimWorld.create({ seed: 1, sites: 1 })
    const { store } = world.start(world.site(0))
    const put = async (site: number, value: bigint): Promise<NamedUpdate> => {
      const bytes = vector(value)
      const { cid, root } = await store.put(bytes, outlineOf(bytes, sha256), 'update', key, signal)
      return { site: siteId(site), root, cid }
    }
    const [first, garbage, last] = [await put(0, 5n), await put(1, 2n ** 40n), await put(2, 7n)] as const
    let readFirst = () => {}
    let goOn = () => {}
    const isRead = new Promise<void>((resolve) => {
      readFirst = resolve
    })
    const refused = new Promise<void>((resolve) => {
      goOn = resolve
    })
    // The first update's bytes have come when the garbage is refused; its reading ends after that.
    const slow: ModelStore['read'] = async (ref, ...rest) => {
      const outline = await store.read(ref, ...rest)
      if (ref.root !== first.root) return outline
      readFirst()
      await refused
      return outline
    }
    const adding = addInSlices(new Proxy(store, { get: (target, name) => (name === 'read' ? slow : (target as never)[name]).bind?.(target) }), {
      run: runId(1),
      round: roundNo(1),
      layout,
      key,
      cut: 1,
    })
    const taken = adding.take(first, [0], undefined, signal)
    await isRead
    await assert.rejects(adding.take(garbage, [0], undefined, signal), { code: 'ROTA-5506' })
    goOn()
    await taken
    await adding.take(last, [0], undefined, signal)
    assert.deepEqual(await adding.sum([first, last], [0], signal), vector(12n))
    world.stop()
  })

  describe('of which others added up some slices', () => {
    const large = layoutOf('exact', 64, [{ name: 'x', length: 40_000, bound: 1_000, fractionBits: 0 }])
    const filled = (value: bigint): Uint8Array => {
      const bytes = new Uint8Array(vectorBytes(large))
      new BigInt64Array(bytes.buffer, 32).fill(value)
      return bytes
    }
    const truth = filled(12n)

    /** A store with two updates and their sum in it, whose reads can be watched or fail after a slice. */
    async function summed() {
      const world = SimWorld.create({ seed: 1, sites: 1 })
      const { store } = world.start(world.site(0))
      const put = (bytes: Uint8Array, kind: 'update' | 'sum') => store.put(bytes, outlineOf(bytes, sha256), kind, key, signal, 3)
      const updates = await Promise.all(
        [5n, 7n].map(async (value, site): Promise<NamedUpdate> => ({ site: siteId(site), ...(await put(filled(value), 'update')) })),
      )
      const failing = { after: Number.POSITIVE_INFINITY }
      const read: ModelStore['read'] = (ref, epochKey, until, wanted, take) =>
        store.read(ref, epochKey, until, wanted, (bytes, offset) => {
          if (failing.after-- <= 0) throw new RotaError('ROTA-4010', { cid: ref.cid })
          take(bytes, offset)
        })
      const watched = new Proxy(store, { get: (target, name) => (name === 'read' ? read : (target as never)[name]).bind?.(target) })
      const adding = addInSlices(watched, { run: runId(1), round: roundNo(1), layout: large, key, cut: 3 })
      const sum = await put(truth, 'sum')
      return { adding, updates, failing, put, fill: (slices: readonly number[]) => adding.fill(sum, slices, () => [], signal), stop: () => world.stop() }
    }

    it('keeps nothing of what came before the filling broke off', async () => {
      const { adding, updates, failing, fill, stop } = await summed()
      await adding.sum(updates, [0], signal)
      failing.after = 1
      await assert.rejects(fill([1, 2]), { code: 'ROTA-4010' })
      failing.after = Number.POSITIVE_INFINITY
      assert.ok(equalBytes(await adding.sum(updates, [0, 1, 2], signal), truth))
      stop()
    })

    it('is whole when slices are added up, filled in, and added up again', async () => {
      const { adding, updates, fill, stop } = await summed()
      await adding.sum(updates, [0, 1], signal)
      await fill([1, 2])
      assert.ok(equalBytes(await adding.sum(updates, [0, 1, 2], signal), truth))
      stop()
    })

    it('is filled into the bytes that were handed out, whoever is refused meanwhile', async () => {
      const { adding, updates, put, fill, stop } = await summed()
      const beyond = { site: siteId(1), ...(await put(filled(2n ** 40n), 'update')) }
      for (const update of updates) await adding.take(update, [0], undefined, signal)
      const bytes = await adding.sum(updates, [0], signal)
      await assert.rejects(adding.take(beyond, [1], undefined, signal), { code: 'ROTA-5506' })
      await fill([1, 2])
      assert.ok(equalBytes(bytes, truth))
      stop()
    })
  })
})
