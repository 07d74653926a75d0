import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { leastLimit } from '#core/protocol/least-limit.ts'

/**
 * The least limit of a phase
 * ├── has a second and a block for each call of the sites, and three more
 * └── holds all bitmaps of a round: three of each slice, and of all the rota where the limit begins anew for each three of them
 */
describe('the least limit of a phase', () => {
  it('has room for a call of each site', () => {
    for (const sites of [1, 3, 9, 256]) for (const slices of [1, Math.ceil(sites / 3)]) assert.equal(leastLimit('attesting', sites, slices), sites + 3)
    assert.deepEqual([leastLimit('witnessing', 9, 1), leastLimit('witnessing', 9, 3), leastLimit('witnessing', 1, 1)], [12, 12, 4])
    assert.deepEqual([leastLimit('witnessing', 9, 4), leastLimit('witnessing', 9, 9), leastLimit('witnessing', 2, 2)], [15, 30, 9])
  })

  it('has room for all bitmaps', () => {
    for (let sites = 2; sites <= 60; sites++)
      for (let slices = 2; slices <= sites; slices++) {
        const limit = leastLimit('witnessing', sites, slices)
        assert.ok(limit > Math.min(3, sites) * slices)
        assert.ok(Math.ceil(sites / 3) * limit > sites * slices)
      }
    assert.ok(leastLimit('witnessing', 256, 256) < 2 ** 16, 'blocks are 16 bits on chain')
  })
})
