import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { groupFaults, groupsFor, groupsIn, isStray } from '#audit/masks/groups.ts'
import { linksOf, maskRoundOf } from '#audit/masks/mask-round.ts'
import { bitmapOf, sitesOf, sizeOf } from '#base/bitmap.ts'
import { type Bitmap, digest, runId, type SiteId } from '#base/ids.ts'
import { maskingRound } from '#core/masking/context.ts'
import { maskGraph } from '#core/masking/graph.ts'
import { areLargeOf, groupCount, groupsOfRefused, groupsStand, maskGroups, tellsOfFew } from '#core/masking/groups.ts'
import { Seeded } from '#core/model/seeded.ts'
import { groupedLayout, intoPart, partOf, strayFault, sumOfGroups } from '#core/ring/grouped.ts'
import { layoutOf, SALT_BYTES, vectorBytes } from '#core/ring/layout.ts'
import { keyedAs, plainSum, showing, sitesFrom, termsOf } from '../../support/masked-party.ts'

// given the sites of a round that is repeated in groups
// ├── nodes and audit cut the same groups of them, each of four or more that share enough masks, or none that stand
// ├── whoever is away or has left moves nobody else to another group
// ├── two sums that differ by fewer sites than a group has are told apart from others
// └── a vector has its numbers in its own group's part, and words in another's are found

const OF = { run: runId(3), baseRoot: digest(`0x${'33'.repeat(32)}`) }
const CASES = 300
const PAIRS = 30

describe('groups of a repeated round', () => {
  it('are as many as leave each a site to spare, where there are enough', () => {
    const counts = Array.from({ length: 101 }, (_, n) => groupCount(n))
    assert.deepEqual(
      counts,
      Array.from({ length: 101 }, (_, n) => groupsFor(n)),
    )
    assert.deepEqual([7, 8, 14, 15, 23, 40, 100].map(groupCount), [0, 2, 2, 3, 4, 8, 8])
    for (let n = 10; n <= 100; n++) assert.ok(n / groupCount(n) >= 5)
  })

  it(`are the same to nodes and audit, and a site in one shares masks with more than half of it (${CASES} rounds)`, () => {
    const random = new Seeded(5)
    let standing = 0
    for (let i = 0; i < CASES; i++) {
      const sites = sitesFrom(8 + Math.floor(random.uniform() * 23))
      const round = maskingRound(termsOf(bitmapOf(sites)), nodeMasking.sha256)
      const share = random.uniform() * 0.06
      const keyed = keyedAs(
        sites.flatMap((site) => (random.uniform() < share ? [] : [{ site, holds: bitmapOf(sites.filter(() => random.uniform() >= share)) }])),
      )
      const [refused, later] = [sites.filter(() => random.uniform() >= share / 2), sites.filter(() => random.uniform() >= share / 2)].map(bitmapOf) as [
        Bitmap,
        Bitmap,
      ]
      const among = (refused & later) as Bitmap
      const shown = showing(sites, sites)
      const graph = maskGraph(round, keyed, nodeMasking.sha256, shown)
      const dealt = groupsOfRefused(refused, OF, nodeMasking.sha256)
      const isCut = areLargeOf(dealt, among)
      const groups = maskGroups(graph, among, isCut ? dealt : [])
      const { edges } = linksOf(maskRoundOf(termsOf(bitmapOf(sites))), keyed, shown)
      const audited = groupsIn(edges, [refused, later], bitmapOf(sites), { run: OF.run, model: OF.baseRoot }, 80)
      assert.deepEqual(
        audited.map((group) => bitmapOf(group.sites)),
        groups.sets,
      )
      assert.equal(groups.masks.sites & ~(graph.sites & among), 0n)
      for (const set of groups.sets)
        for (const site of sitesOf(set)) {
          const near = groups.masks.neighbours(site)
          assert.equal(near & ~(set & graph.neighbours(site)), 0n)
          assert.ok(2 * sizeOf(near) >= sizeOf(set) - 1)
        }
      if (!isCut) continue
      const stands = groupsStand(groups, groups.masks.sites)
      assert.equal(stands, groupFaults(audited, groups.masks.sites).length === 0)
      if (!stands) continue
      standing += 1
      const first = groups.sets[0] as Bitmap
      const three = bitmapOf(sitesOf(first).slice(0, 3))
      assert.ok(!groupsStand(groups, ((groups.masks.sites & ~first) | three) as Bitmap))
      assert.ok(!groupsStand(groups, (groups.masks.sites | (1n << 200n)) as Bitmap))
    }
    assert.ok(standing > CASES / 3, `${standing} of ${CASES} stand`)
  })

  it(`are as they were for whoever is there again, so that no two differ by others than those who are not (${PAIRS} pairs of rounds)`, () => {
    const random = new Seeded(6)
    const count = 8 + Math.floor(random.uniform() * 60)
    const refused = bitmapOf(sitesFrom(count))
    const groupsWith = (here: readonly SiteId[]) => {
      const keyed = keyedAs(here.map((site) => ({ site, holds: bitmapOf(here) })))
      const graph = maskGraph(maskingRound(termsOf(refused), nodeMasking.sha256), keyed, nodeMasking.sha256)
      return maskGroups(graph, refused, groupsOfRefused(refused, OF, nodeMasking.sha256)).sets
    }
    for (let i = 0; i < PAIRS; i++) {
      const [one, other] = [0, 1].map(() => sitesFrom(count).filter(() => random.uniform() >= 0.1)) as [SiteId[], SiteId[]]
      const both = (bitmapOf(one) & bitmapOf(other)) as Bitmap
      const [before, after] = [groupsWith(one), groupsWith(other)]
      for (const [g, set] of before.entries()) assert.equal(set & both, (after[g] as Bitmap) & both)
    }
  })

  it('tell of few where two sums differ by one to three sites', () => {
    const all = bitmapOf(sitesFrom(9))
    const less = (n: number) => bitmapOf(sitesFrom(9 - n))
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((n) => tellsOfFew(all, less(n))),
      [false, true, true, true, false, false],
    )
    assert.ok(tellsOfFew(less(1), bitmapOf([...sitesFrom(7), 8 as SiteId])))
  })
})

describe('vectors of a repeated round', () => {
  for (const [kind, wordBits] of [
    ['exact', 64],
    ['exact', 32],
    ['neural', 32],
  ] as const)
    it(`of ${kind} numbers in ${wordBits}-bit words add up by groups`, () => {
      const random = new Seeded(wordBits)
      const stage = layoutOf(kind, wordBits, [
        { name: 'rows', length: 1, fractionBits: 0, bound: 100 },
        { name: 'delta', length: 5, fractionBits: 4, bound: 100 },
      ])
      const layout = groupedLayout(stage, 3)
      assert.equal(vectorBytes(layout) - SALT_BYTES, 3 * (vectorBytes(stage) - SALT_BYTES))
      const vectors = Array.from({ length: 6 }, () => random.bytes(vectorBytes(stage)))
      const whole = vectors.map((bytes, i) => intoPart(bytes, stage, i % 3, 3))
      const sum = plainSum(whole, wordBits).bytes
      const body = (bytes: Uint8Array) => bytes.subarray(SALT_BYTES)
      for (const chosen of [[0], [1, 2], [0, 1, 2]]) {
        const those = vectors.filter((_, i) => chosen.includes(i % 3))
        assert.deepEqual(body(sumOfGroups(sum, stage, chosen)), body(plainSum(those, wordBits).bytes))
      }
      whole.forEach((bytes, i) => {
        const own = partOf(stage, i % 3)
        assert.equal(strayFault(bytes, 0, own), null)
        assert.equal(strayFault(bytes.subarray(40), 40, own), null)
        assert.equal(isStray(bytes, { sites: new Set(), ...own }), false)
        assert.notEqual(strayFault(bytes, 0, undefined), null)
        const at = own.start > SALT_BYTES ? own.start - 1 : own.end
        const stray = bytes.map((byte, j) => (j === at ? 1 : byte))
        assert.notEqual(strayFault(stray, 0, own), null)
        assert.equal(isStray(stray, { sites: new Set(), ...own }), true)
      })
    })
})
