import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { loadHelia } from '#adapters/store/load-helia.ts'
import { blockSizes, layoutOf } from '#adapters/store/object-layout.ts'
import { type DagCodec, leafOf, treeOver } from '#adapters/store/unixfs-tree.ts'
import { siteId } from '#base/ids.ts'
import type { RoundView } from '#ports/chain.ts'
import { custodiansOf } from '#round/custody.ts'

// given a vector of 40 MB in as many slices as sites
// └── what each site sends and fetches, outlines and trees included, is below five models a round each way, for any number of sites

const VECTOR_BYTES = 40_000_000
const MOST = 5
const FEWEST = 3
/** That a registry has. */
const MOST_SITES = 256

interface Share {
  readonly bytesIn: number
  readonly bytesOut: number
}

/**
 * What a site fetches and what is fetched of it: of every other update the slices whose custodian it is, with the tree that names them, and of the sum the
 * slices that it does not add up. Of a slice of the sum each custodian serves a third of the others, and one more.
 */
function shares(sites: number, codec: DagCodec): Share[] {
  const layout = layoutOf(VECTOR_BYTES, sites)
  const sizes = blockSizes(layout)
  const leaves = sizes.map((sizeBytes) => ({ ...leafOf(new Uint8Array(0)), sizeBytes }))
  const namesBytes = layout.outlineBytes + treeOver(leaves, codec).reduce((sum, { bytes }) => sum + bytes.length, 0)
  const sliceBytes = new Array<number>(sites).fill(0)
  layout.pieces.forEach(({ slice }, at) => {
    sliceBytes[slice] = (sliceBytes[slice] as number) + (sizes[at + 1] as number)
  })
  const sealedBytes = sliceBytes.reduce((sum, bytes) => sum + bytes, 0)
  const rota = Array.from({ length: sites }, (_, i) => siteId(i))
  const view = { rota, turn: 1, custodianPlaces: rota.map(() => 3) } as unknown as RoundView
  const custodians = rota.map((_, slice) => custodiansOf(view, slice))
  return rota.map((site) => {
    const mine = sliceBytes.filter((_, slice) => custodians[slice]?.includes(site)).reduce((sum, bytes) => sum + bytes, 0)
    const others = sites - 1
    const bytesIn = others * (namesBytes + mine) + sealedBytes - mine
    const bytesOut = others * namesBytes + 3 * sealedBytes - mine + (Math.ceil((sites - 3) / 3) + 1) * mine
    return { bytesIn, bytesOut }
  })
}

describe('a large model dealt to many sites', () => {
  let codec: DagCodec

  before(async () => {
    const { helia, codec: loaded } = await loadHelia(undefined, { name: 'nobody' })
    codec = loaded
    await helia.stop()
  })

  it('takes less than five models each way of each site, however many there are', () => {
    for (let sites = FEWEST; sites <= MOST_SITES; sites++) {
      const of = shares(sites, codec)
      for (const way of ['bytesIn', 'bytesOut'] as const) {
        const most = Math.max(...of.map((share) => share[way])) / VECTOR_BYTES
        assert.ok(most < MOST, `${way} of ${sites} sites: ${most.toFixed(2)} models`)
      }
    }
  })
})
