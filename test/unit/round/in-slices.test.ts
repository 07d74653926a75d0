import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimWorld } from '#adapters/sim/world.ts'
import { sha256 } from '#app/sha256.ts'
import { roundNo, runId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { layoutOf, vectorBytes } from '#core/ring/layout.ts'
import type { ModelStore } from '#ports/model-store.ts'
import type { NamedUpdate } from '#round/updates/adding.ts'
import { addInSlices } from '#round/updates/in-slices.ts'

// given updates that are added as they arrive
// └── when one is refused while another has been read and not yet counted, the sum begins anew, and the other is still in it

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
})
