import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { heldBy as heldByToAudit, linksOf, maskRoundOf } from '#audit/masks/mask-round.ts'
import { hiddenSecret } from '#audit/masks/seeds.ts'
import { bitmapOf, EMPTY, has, sitesOf, sizeOf, without } from '#base/bitmap.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { type Bitmap, type Digest, digest, type SiteId, siteId } from '#base/ids.ts'
import { maskingRound } from '#core/masking/context.ts'
import { checkSurvivors, FIRST, heldBy, maskGraph, neighboursOf, spareOf } from '#core/masking/graph.ts'
import { HIDDEN_BYTES, heldDealsOf, heldIn, hidePair, type KeyedSite, NAME_BYTES, nameOfDeal, showPair } from '#core/masking/held-deals.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { Seeded } from '#core/model/seeded.ts'
import { below, holding, keyedAs, sitesFrom, some, termsOf } from '../../support/masked-party.ts'

// given what sites of a round say on chain that they dealt, and whose deals they hold
// ├── two share a mask where each holds the very deal that the other keyed with, by root and by CID; nobody else's edges change
// ├── who holds the very deal of a site has shares of it, though that one holds none of its, and though it has no place itself
// ├── what the upper of a pair hid of their secret shows with its mask seed
// ├── a site's deal needs more holders than rebuild its seed, as many more as `spareOf` says where that leaves no more sites out, else fewer
// ├── as few sites as that, whatever they say, keep none of the others out of seven or more
// ├── whoever defaulted before is out where the others are enough, and in where they are not
// ├── a set's own shares have to be enough for a sum that is still to be published, those of all who keyed for one that is
// └── node and auditor have the same graph, whatever is said

const { sha256 } = nodeMasking
const root = (n: number): Digest => digest(`0x${n.toString(16).padStart(64, '0')}`)
const all = (n: number): Bitmap => bitmapOf(sitesFrom(n))
const holdsAll = (n: number) => sitesFrom(n).map((site) => ({ site, holds: without(all(n), site) }))

/** The graph that nodes and auditors have, and that they have the same. */
function graphOf(members: Bitmap, keyed: readonly KeyedSite[], { quorum, defaulted } = FIRST): ReadonlyMap<SiteId, Bitmap> {
  const graph = maskGraph(maskingRound(termsOf(members), sha256), keyed, sha256, { quorum, defaulted })
  const { edges, holders } = linksOf(maskRoundOf(termsOf(members)), keyed, { quorum, defaulted: new Set(sitesOf(defaulted)) })
  assert.deepEqual(new Map([...holders].map(([site, who]) => [site, bitmapOf(who)])), new Map(sitesOf(graph.sites).map((site) => [site, graph.holders(site)])))
  const [ofNodes, ofAuditors] = [
    new Map(sitesOf(graph.sites).map((site) => [site, graph.neighbours(site)])),
    new Map([...edges].map(([site, near]) => [site, bitmapOf(near)])),
  ]
  assert.deepEqual(ofAuditors, ofNodes)
  for (const site of sitesOf((members & ~graph.sites) as Bitmap)) assert.deepEqual([graph.neighbours(site), graph.holders(site)], [EMPTY, EMPTY])
  return ofNodes
}

/** All with all among some, but for pairs that share nothing. */
function complete(sites: Bitmap, missing: readonly (readonly [number, number])[] = []): ReadonlyMap<SiteId, Bitmap> {
  const lacks = (a: number, b: number): boolean => missing.some(([c, d]) => (a === c && b === d) || (a === d && b === c))
  return new Map(sitesOf(sites).map((site) => [site, bitmapOf(sitesOf(sites).filter((other) => other !== site && !lacks(site, other)))]))
}

/** A site says that it holds another deal of this dealer. */
const holdingOther = (keyed: readonly KeyedSite[], holder: number, dealer: number, name: string): KeyedSite[] =>
  keyed.map((each) => (each.site === holder ? holding(each, (held, site) => (site === dealer ? { ...held, name } : held)) : each))

describe('the name of a deal', () => {
  it('is 20 bytes of SHA-256 over root and CID', () => {
    const deal = { dealDigest: root(1), dealCid: root(2) }
    const hash = createHash('sha256')
      .update(fromHex(root(1)))
      .update(fromHex(root(2)))
      .digest('hex')
    assert.equal(nameOfDeal(deal, sha256), hash.slice(0, 40))
    assert.equal(NAME_BYTES, 20)
    const holds = bitmapOf([siteId(200), siteId(3)])
    const nameOf = (site: SiteId): string => site.toString(16).padStart(40, '0')
    const held = heldDealsOf(holds, (dealer) => ({ name: nameOf(dealer), hidden: null }))
    assert.equal(held, `0x${'3'.padStart(40, '0')}${'c8'.padStart(40, '0')}`)
    assert.equal(
      heldDealsOf(EMPTY, () => ({ name: 'none', hidden: null })),
      '0x',
    )
    const found = heldIn({ site: siteId(2), holds, heldDeals: held })
    assert.deepEqual(
      [...found],
      [3, 200].map((site) => [site, { name: nameOf(siteId(site)), hidden: null }]),
    )
  })

  it('has the hidden secret after it where the dealer is below who holds it, of 32 bytes', () => {
    const holds = bitmapOf([3, 7, 8, 200].map(siteId))
    const of = (dealer: SiteId) => ({ name: `${dealer % 10}`.repeat(40), hidden: dealer < 8 ? `${(dealer % 10) + 1}`.repeat(64) : null })
    const heldDeals = heldDealsOf(holds, of)
    assert.equal(heldDeals, `0x${'3'.repeat(40)}${'4'.repeat(64)}${'7'.repeat(40)}${'8'.repeat(64)}${'8'.repeat(40)}${'0'.repeat(40)}`)
    assert.deepEqual(
      [...heldIn({ site: siteId(8), holds, heldDeals })],
      [3, 7, 8, 200].map((site) => [site, of(siteId(site))]),
    )
    assert.equal(HIDDEN_BYTES, 32)
    const said = { site: siteId(8), dealDigest: root(1), dealCid: root(2), holds, heldDeals }
    const audited = heldByToAudit(said)
    assert.deepEqual(
      [...audited].map(([site, { name, hidden }]) => [site, { name, hidden: hidden && toHex(hidden).slice(2) }]),
      [3, 7, 8, 200].map((site) => [site, of(siteId(site))]),
    )
  })
})

describe('the secret of a pair that the upper hid', () => {
  it('shows with its mask seed alone; none where it is cut short or it holds nothing of the lower', () => {
    const random = new Seeded(31)
    const round = maskingRound(termsOf(all(7)), sha256)
    const [seed, otherSeed, secret] = [random.bytes(32), random.bytes(32), random.bytes(32)]
    const [lower, upper] = [siteId(2), siteId(4)]
    const said = keyedAs([{ site: upper, holds: bitmapOf([lower, siteId(5)]) }], undefined, () =>
      hidePair(round, lower, upper, secret, seed, nodeMasking),
    )[0] as KeyedSite
    const shown = (by: KeyedSite, with_: Uint8Array, of = lower) => showPair(round, of, by, with_, nodeMasking)
    assert.deepEqual(shown(said, seed), secret)
    assert.ok(!said.heldDeals.includes(toHex(secret).slice(2)))
    assert.notDeepEqual(shown(said, otherSeed), secret)
    // Another pair, and another round, has another pad.
    assert.notEqual(hidePair(round, siteId(3), upper, secret, seed, nodeMasking), hidePair(round, lower, upper, secret, seed, nodeMasking))
    const next = maskingRound(termsOf(all(7), 8), sha256)
    assert.notEqual(hidePair(next, lower, upper, secret, seed, nodeMasking), hidePair(round, lower, upper, secret, seed, nodeMasking))
    const evidence = { round: maskRoundOf(termsOf(all(7))), keyed: new Map([[upper, said]]) }
    assert.deepEqual(hiddenSecret(evidence, lower, upper, seed), secret)
    for (const heldDeals of [said.heldDeals.slice(0, 2 + 40 + 62), said.heldDeals.slice(0, 42), '0x']) {
      const short = { ...said, heldDeals }
      assert.equal(shown(short, seed), undefined)
      assert.equal(hiddenSecret({ ...evidence, keyed: new Map([[upper, short]]) }, lower, upper, seed), undefined)
    }
    for (const none of [siteId(5), siteId(6), upper]) {
      assert.equal(shown(said, seed, none), undefined)
      assert.equal(hiddenSecret(evidence, none, upper, seed), undefined)
    }
    assert.equal(hiddenSecret({ ...evidence, keyed: new Map() }, lower, upper, seed), undefined)
  })
})

describe('who shares a mask with whom', () => {
  const seven = keyedAs(holdsAll(7))
  const [other, otherCid] = [
    { dealDigest: root(99), dealCid: root(1) },
    { dealDigest: root(1), dealCid: root(99) },
  ].map((deal) => nameOfDeal(deal, sha256)) as [string, string]

  it('is all with all where all hold what the others keyed with', () => assert.deepEqual(graphOf(all(7), seven), complete(all(7))))

  it('is not who holds a deal of another root, or one of another CID, than its dealer keyed with', () => {
    for (const name of [other, otherCid, 'ff'.repeat(20)]) {
      const keyed = holdingOther(seven, 4, 1, name)
      assert.deepEqual(graphOf(all(7), keyed), complete(all(7), [[1, 4]]))
      assert.deepEqual(
        [1, 4, 2].map((site) => neighboursOf(siteId(site), keyed, sha256)),
        [5, 5, 6],
      )
    }
    // It is enough that one of the two says so; and neither of a pair can make the other's edges with a third one go.
    assert.deepEqual(graphOf(all(7), holdingOther(seven, 1, 4, otherCid)), complete(all(7), [[1, 4]]))
  })

  it('is not who deals otherwise to more than are to spare: it is out, and nobody else', () => {
    const keyed = [4, 5, 6].reduce((said, holder) => holdingOther(said, holder, 1, other), seven)
    assert.deepEqual(graphOf(all(7), keyed), complete(without(all(7), siteId(1))))
  })

  it('is not by a site’s own name for its deal, nor by one that is cut short', () => {
    // What a site says of what it holds stands in the order of whom it holds: one left out moves the others.
    const one = 2 * (NAME_BYTES + HIDDEN_BYTES)
    const cut = seven.map((each) => (each.site === 6 ? { ...each, heldDeals: each.heldDeals.slice(0, -one) } : each))
    assert.deepEqual(graphOf(all(7), cut), complete(all(7), [[5, 6]]))
    const moved = seven.map((each) => (each.site === 6 ? { ...each, heldDeals: `0x${each.heldDeals.slice(2 + one)}` } : each))
    assert.deepEqual(graphOf(all(7), moved), complete(without(all(7), siteId(6))))
    // Who keyed with the name of another's deal: nobody holds that of it.
    const taken = seven.map((each) => (each.site === 6 ? { ...each, dealDigest: root(1), dealCid: root(1) } : each))
    assert.deepEqual(graphOf(all(7), taken), complete(without(all(7), siteId(6))))
  })

  it('is nobody who was not awaited, whatever it says', () => {
    assert.deepEqual(graphOf(all(6), seven), complete(all(6)))
  })
})

describe('a site whose deal few hold', () => {
  const other = 'cd'.repeat(20)
  /** Of n sites the deals of the last few are held by so many others, another few each time; they themselves hold all. */
  function holding(n: number, counts: readonly number[]) {
    const regular = n - counts.length
    let next = 0
    const missing = counts.flatMap((count, i) => Array.from({ length: n - 1 - count }, () => [regular + i, next++ % regular] as const))
    const keyed = keyedAs(
      holdsAll(n).map(({ site, holds }) => ({ site, holds: missing.reduce((set, [dealer, b]) => (b === site ? without(set, siteId(dealer)) : set), holds) })),
    )
    return { keyed, missing, out: (...sites: number[]) => complete(bitmapOf(sitesFrom(n).filter((site) => !sites.includes(site))), missing) }
  }
  const expectOut = (n: number, counts: readonly number[], out: readonly number[]) => {
    const said = holding(n, counts)
    assert.deepEqual(graphOf(all(n), said.keyed), said.out(...out), `${n} sites, ${counts}`)
  }

  it('has so many to spare', () => {
    assert.deepEqual(
      [5, 6, 7, 9, 12, 15, 23, 40, 100].map((n) => [thresholdOf(n), spareOf(n, thresholdOf(n))]),
      [
        [4, 1],
        [5, 1],
        [5, 1],
        [7, 1],
        [9, 1],
        [11, 2],
        [16, 3],
        [27, 6],
        [67, 16],
      ],
    )
  })

  it('is out of seven with four others or fewer: five shares rebuild its seed', () => {
    expectOut(7, [5], [])
    expectOut(7, [4], [6])
    expectOut(7, [0], [6])
    // Five that are left are enough, four are not.
    expectOut(7, [4, 4], [5, 6])
    expectOut(7, [4, 4, 4], [])
    expectOut(7, [5, 5, 5], [])
  })

  it('is out of fifteen with eleven others, but for where three have as few', () => {
    expectOut(15, [12], [])
    expectOut(15, [11], [14])
    expectOut(15, [11, 11], [13, 14])
    expectOut(15, [11, 11, 11], [])
    expectOut(15, [13, 13, 11], [14])
    expectOut(15, [12, 12, 11], [14])
    expectOut(15, [11, 11, 10], [14])
    expectOut(15, [10, 10, 10], [12, 13, 14])
  })

  it('is out of twenty-three with seventeen others, but for where four have as few', () => {
    expectOut(23, [18], [])
    expectOut(23, [17], [22])
    expectOut(23, [17, 17, 17], [20, 21, 22])
    expectOut(23, [17, 17, 17, 17], [])
    expectOut(23, [19, 19, 19, 16], [22])
    expectOut(23, [17, 17, 17, 16], [22])
    expectOut(23, [16, 16, 16, 16], [])
    expectOut(23, [16, 16, 16, 15], [22])
    expectOut(23, [15, 15, 15, 15], [19, 20, 21, 22])
  })

  it('is out of five and six with one fewer than all, where that leaves enough', () => {
    expectOut(5, [3], [4])
    assert.deepEqual(graphOf(all(5), keyedAs(holdsAll(5).slice(0, 4))), complete(all(4)))
    assert.deepEqual(graphOf(all(5), keyedAs(holdsAll(5).slice(0, 3))), new Map())
    for (const n of [5, 6]) {
      const one = holdingOther(keyedAs(holdsAll(n)), 0, n - 1, other)
      assert.deepEqual(graphOf(all(n), one), complete(all(n - 1)))
      // Nobody can tell which of two it is: without both too few would be left of five, and as many as needed of six never are.
      assert.deepEqual(graphOf(all(n), holdingOther(one, n - 1, 0, other)), complete(all(n), [[0, n - 1]]))
    }
  })

  it('is in however few it holds of others, as long as it shares masks with enough; so are these', () => {
    const naming = (few: number) => keyedAs(holdsAll(7).map(({ site, holds }) => ({ site, holds: site === 6 ? all(few) : holds })))
    assert.deepEqual(
      graphOf(all(7), naming(4)),
      complete(all(7), [
        [4, 6],
        [5, 6],
      ]),
    )
    assert.deepEqual(graphOf(all(7), naming(3)), complete(all(6)))
  })

  it('keeps none of seven or more others out, as long as such sites are no more than there are to spare, whatever they say', () => {
    const random = new Seeded(11)
    for (let i = 0; i < 300; i++) {
      const n = 7 + below(random, 34)
      const [threshold, liars] = [thresholdOf(n), some(sitesFrom(n), below(random, spareOf(n, thresholdOf(n)) + 1), random)]
      const said = keyedAs(
        holdsAll(n).map((each) => (liars.includes(each.site) ? { ...each, holds: bitmapOf(sitesFrom(n).filter(() => random.uniform() < 0.7)) } : each)),
      )
      // Some deal otherwise to some.
      const keyed = liars.reduce(
        (known, liar) => some(sitesFrom(n), below(random, n), random).reduce((now, holder) => holdingOther(now, holder, liar, other), known),
        said,
      )
      const graph = graphOf(all(n), keyed)
      for (const site of sitesFrom(n)) if (!liars.includes(site)) assert.ok(graph.has(site), `site ${site} of ${n}, ${liars} lie`)
      // And whoever is in has given so many shares of its seed that those of as many sites may stay away.
      const { holders } = maskGraph(maskingRound(termsOf(all(n)), sha256), keyed, sha256)
      for (const site of graph.keys()) assert.ok(sizeOf(holders(site)) >= threshold + spareOf(n, threshold))
    }
  })
})

describe('who holds the shares of a site', () => {
  const graphWith = (keyed: readonly KeyedSite[], n: number) => {
    graphOf(all(n), keyed)
    return maskGraph(maskingRound(termsOf(all(n)), sha256), keyed, sha256)
  }

  it('is who says so of the very deal, whether or not it holds theirs', () => {
    // The last names four of the six others; all six hold its deal, and show their shares of it.
    const keyed = keyedAs(holdsAll(7).map(({ site, holds }) => ({ site, holds: site === 6 ? all(4) : holds })))
    const graph = graphWith(keyed, 7)
    assert.deepEqual([graph.neighbours(siteId(6)), graph.holders(siteId(6))], [all(4), all(7)])
    for (const site of [4, 5].map(siteId)) assert.deepEqual(graph.holders(site), without(all(7), siteId(6)))
    for (const site of sitesFrom(4)) assert.deepEqual(graph.holders(site), all(7))
    assert.deepEqual(
      [6, 5].map((site) => heldBy(graph, siteId(site))),
      [bitmapOf([0, 1, 2, 3, 6].map(siteId)), all(7)],
    )
  })

  it('is nobody who holds another deal of it, and is who has no place of its own', () => {
    const keyed = holdingOther(keyedAs(holdsAll(7)), 2, 3, 'cd'.repeat(20))
    assert.deepEqual(graphWith(keyed, 7).holders(siteId(3)), without(all(7), siteId(2)))
    assert.deepEqual(graphWith(keyed, 7).holders(siteId(2)), all(7))
    // Only two hold the deal of the first; it holds those of all others.
    const starved = keyedAs(holdsAll(7).map(({ site, holds }) => ({ site, holds: site > 2 ? without(holds, siteId(0)) : holds })))
    const graph = graphWith(starved, 7)
    assert.deepEqual([graph.sites, graph.holders(siteId(0))], [without(all(7), siteId(0)), EMPTY])
    assert.deepEqual(heldBy(graph, siteId(0)), graph.sites)
    for (const site of sitesOf(graph.sites)) assert.deepEqual(graph.holders(site), all(7))
  })
})

describe('whoever defaulted in a void round', () => {
  const ten = keyedAs(holdsAll(10))
  const before = (quorum: number, ...sites: number[]) => ({ quorum, defaulted: bitmapOf(sites.map(siteId)) })

  it('is out where the others are enough, and has shares of theirs all the same', () => {
    for (const sites of [[0], [0, 9], [1, 4, 7]]) {
      const rest = sites.reduce((set, site) => without(set, siteId(site)), all(10))
      assert.deepEqual(graphOf(all(10), ten, before(7, ...sites)), complete(rest))
      const { holders } = maskGraph(maskingRound(termsOf(all(10)), sha256), ten, sha256, before(7, ...sites))
      for (const site of sitesOf(rest)) assert.equal(holders(site), all(10))
    }
  })

  it('is in where they are too few to unmask a sum, or for the quorum', () => {
    assert.deepEqual(graphOf(all(10), ten, before(7, 0, 1, 2, 3)), complete(all(10)))
    assert.deepEqual(graphOf(all(10), ten, before(9, 0, 1)), complete(all(10)))
    assert.deepEqual(graphOf(all(10), ten, before(8, 0, 1)), complete(without(without(all(10), siteId(0)), siteId(1))))
  })
})

describe('a frozen set', () => {
  it('unmasks its sum where it has enough shares of each; once that is published those of all who keyed count', () => {
    const round = maskingRound(termsOf(all(7)), sha256)
    // The first does not hold what the second keyed with: of that six have shares, four of these in the set.
    const keyed = keyedAs(holdsAll(7).map(({ site, holds }) => ({ site, holds: site === 0 ? without(holds, siteId(1)) : holds })))
    const graph = maskGraph(round, keyed, sha256)
    const five = all(5)
    assert.throws(() => checkSurvivors(graph, round, five), { code: 'ROTA-2328' })
    checkSurvivors(graph, round, five, true)
    assert.throws(() => checkSurvivors(graph, round, all(4), true), { code: 'ROTA-2327' })
    checkSurvivors(graph, round, all(6))
  })
})

describe('the graph of nodes and auditors', () => {
  it('is the same, whatever sites say (400 rounds)', () => {
    const random = new Seeded(21)
    let [whole, part, none] = [0, 0, 0]
    for (let i = 0; i < 400; i++) {
      const n = 5 + below(random, 30)
      const [lost, lied] = [random.uniform() ** 2 * 0.3, random.uniform() < 0.5 ? 0 : random.uniform() * 0.1]
      const sites = sitesFrom(n).map((site) => siteId(site * 5 + 1))
      const here = sites.filter(() => random.uniform() > 0.05)
      const honest = keyedAs(here.map((site) => ({ site, holds: bitmapOf(sites.filter((dealer) => dealer !== site && random.uniform() > lost)) })))
      const keyed = honest.map((each) => ({
        ...each,
        dealDigest: random.uniform() < lied / 4 ? root(77) : each.dealDigest,
        dealCid: random.uniform() < lied / 4 ? root(78) : each.dealCid,
        heldDeals: holding(each, (held) => (random.uniform() < lied ? { ...held, name: 'ee'.repeat(20) } : held)).heldDeals,
      }))
      const graph = graphOf(bitmapOf(sites), keyed)
      for (const [site, near] of graph) {
        assert.ok(sizeOf(near) >= thresholdOf(n) - 1)
        for (const partner of sitesOf(near)) assert.ok(has(graph.get(partner) as Bitmap, site))
      }
      if (graph.size === n) whole += 1
      else if (graph.size > 0) part += 1
      else none += 1
    }
    assert.ok(whole > 20 && part > 100 && none > 20, `${whole} with all, ${part} with some, ${none} with none`)
  })
})
