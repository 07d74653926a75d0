import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Shelf } from '#adapters/sim/disks.ts'
import { sha256 } from '#adapters/sim/hash.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import type { SiteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'

// given a large object of one site that another reads
// └── when its pieces lie on a shelf, both have the same bytes, as often as they are asked for, the same moves, and another key opens nothing

const KEY = new Uint8Array(32).fill(7)
const signal = new AbortController().signal
const bytes = new SimRandom('object').bytes(700_000)

function listShelf() {
  const list: Uint8Array[] = []
  const shelf: Shelf = { put: (piece) => list.push(piece.slice()) - 1, get: (place) => (list[place] as Uint8Array).slice() }
  return { list, shelf }
}

async function readTwice(shelf: Shelf | null) {
  const world = SimWorld.create({ seed: 'disks', sites: 2 })
  world.disks.shelf = shelf
  const copies: { readonly lengthBytes: number; readonly from: SiteId; readonly to: SiteId }[] = []
  world.disks.onCopy = (_, lengthBytes, from, to) => copies.push({ lengthBytes, from, to })
  const [owner, reader] = world.sites.map((site) => world.start(site).store)
  const ref = await owner?.put(bytes, outlineOf(bytes, sha256), 'update', KEY, signal, 4)
  assert.ok(ref !== undefined && reader !== undefined)
  for (let time = 0; time < 2; time++) assert.deepEqual(await reader.get(ref, KEY, signal), bytes)
  await assert.rejects(reader.get(ref, new Uint8Array(32), signal), { code: 'ROTA-4011' })
  world.stop()
  return { copies, traffic: { ...reader.traffic } }
}

describe('disks of simulated sites', () => {
  it('are the same with a shelf for what is large', async () => {
    const { list, shelf } = listShelf()
    const [here, there] = [await readTwice(null), await readTwice(shelf)]
    assert.deepEqual(there, here)
    assert.equal(list.length, 4, 'its pieces, and not the tree')
    assert.equal(
      here.copies.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0),
      here.traffic.bytesIn,
    )
  })
})
