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
import { checkSurvivors, complainersOf, heldBy, maskGraph, mostShown, noPlace, type ShownShares } from '#core/masking/graph.ts'
import { HIDDEN_BYTES, heldDealsOf, heldIn, hidePair, type KeyedSite, NAME_BYTES, nameOfDeal, showPair } from '#core/masking/held-deals.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { Seeded } from '#core/model/seeded.ts'
import { below, holding, keyedAs, showing, sitesFrom, some, termsOf } from '../../support/masked-party.ts'

// given what sites of a round say on chain that they dealt, and whose deals they hold
// ├── two share a mask where each holds the very deal that the other keyed with, by root and by CID; nobody else's edges change
// ├── who holds the very deal of a site has shares of it, though that one holds none of its, and though it has no place itself
// ├── what the upper of a pair hid of their secret shows with its mask seed
// ├── a dealer is in where all who keyed hold its deal, or it showed the shares of those who do not, of no more than may be public; else it is out, and nobody with it
// ├── as many sites as may be missing at once, whatever they say, hold or show, keep none of the others out; of whoever is in enough shares are with these or public
// ├── a set of as many as rebuild a secret unmasks its sum, with what is public
// └── node and auditor have the same graph, whatever is said

const { sha256 } = nodeMasking
const root = (n: number): Digest => digest(`0x${n.toString(16).padStart(64, '0')}`)
const all = (n: number): Bitmap => bitmapOf(sitesFrom(n))
const holdsAll = (n: number) => sitesFrom(n).map((site) => ({ site, holds: without(all(n), site) }))

/** The graph that nodes and auditors have, and that they have the same. @param shown shares that dealers showed before anybody masked: without any that all did, of all */
function graphOf(members: Bitmap, keyed: readonly KeyedSite[], shown = showing(sitesOf(members), sitesOf(members))): ReadonlyMap<SiteId, Bitmap> {
  const graph = maskGraph(maskingRound(termsOf(members), sha256), keyed, sha256, shown)
  const { edges, holders, shownBefore } = linksOf(maskRoundOf(termsOf(members)), keyed, shown)
  const ofSites = <T>(of: (site: SiteId) => T) => new Map(sitesOf(graph.sites).map((site) => [site, of(site)]))
  assert.deepEqual(new Map([...holders].map(([site, who]) => [site, bitmapOf(who)])), ofSites(graph.holders))
  assert.deepEqual(shownBefore, ofSites(graph.shown))
  const [ofNodes, ofAuditors] = [ofSites(graph.neighbours), new Map([...edges].map(([site, near]) => [site, bitmapOf(near)]))]
  assert.deepEqual(ofAuditors, ofNodes)
  for (const site of sitesOf((members & ~graph.sites) as Bitmap))
    assert.deepEqual([graph.neighbours(site), graph.holders(site), graph.shown(site)], [EMPTY, EMPTY, NONE])
  return ofNodes
}

const NONE: ShownShares = new Map()
const NOBODYS: ReadonlyMap<SiteId, ShownShares> = new Map()

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
        [1, 4, 2].map((site) => noPlace(siteId(site), { members: all(7), threshold: 9 } as never, keyed, sha256).details.neighbours),
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

describe('a dealer whose deal some who keyed do not hold', () => {
  const other = 'cd'.repeat(20)
  /** All hold all, but for the deals of some; nobody below them complains of more than one. */
  const lackedBy = (n: number, holdersOf: Readonly<Record<number, readonly number[]>>) => {
    const missing = Object.entries(holdersOf).flatMap(([dealer, holders]) => holders.map((holder) => [Number(dealer), holder] as const))
    const keyed = missing.reduce((said: readonly KeyedSite[], [dealer, holder]) => holdingOther(said, holder, dealer, other), keyedAs(holdsAll(n)))
    return { keyed, missing }
  }
  const sitesOut = (n: number, ...out: number[]): Bitmap => bitmapOf(sitesFrom(n).filter((site) => !out.includes(site)))
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

  it('is in where it shows the share of each of them, and out where it shows nothing or misses one; nobody else is', () => {
    for (const [n, holders] of [
      [5, [0]],
      [7, [0, 3]],
      [10, [0, 3, 4]],
      [23, range(0, 7)],
    ] as const) {
      const dealer = siteId(n - 1)
      const { keyed, missing } = lackedBy(n, { [dealer]: holders })
      assert.equal(complainersOf(dealer, { members: all(n) }, keyed, sha256), bitmapOf(holders.map(siteId)))
      const show = (shown: readonly number[]) => graphOf(all(n), keyed, showing([dealer], shown.map(siteId)))
      assert.deepEqual(show(holders), complete(all(n), missing))
      // Of those who hold it nobody asks, and what it shows of them counts for nothing.
      assert.deepEqual(show(range(0, n)), complete(all(n), missing))
      for (const shown of [[], holders.slice(1), [...holders.slice(1), n - 2]]) assert.deepEqual(show(shown), complete(sitesOut(n, dealer)))
      // Another's shares are not its own.
      assert.deepEqual(graphOf(all(n), keyed, showing([siteId(0)], sitesFrom(n))), complete(sitesOut(n, dealer)))
      assert.deepEqual(graphOf(all(n), keyed, NOBODYS), complete(sitesOut(n, dealer)))
    }
  })

  it('is out where they are more than may be public, whatever it shows', () => {
    assert.deepEqual(
      [5, 6, 7, 9, 12, 15, 23, 40, 100].map((n) => [thresholdOf(n), mostShown(n, thresholdOf(n))]),
      [
        [4, 1],
        [5, 1],
        [5, 2],
        [7, 2],
        [9, 3],
        [11, 4],
        [16, 7],
        [27, 13],
        [67, 33],
      ],
    )
    assert.equal(mostShown(3, 4), 0)
    for (const n of [5, 6, 7, 9, 12, 23, 40]) {
      const most = mostShown(n, thresholdOf(n))
      const few = lackedBy(n, { [n - 1]: range(0, most) })
      assert.deepEqual(graphOf(all(n), few.keyed), complete(all(n), few.missing))
      assert.deepEqual(graphOf(all(n), lackedBy(n, { [n - 1]: range(0, most + 1) }).keyed), complete(sitesOut(n, n - 1)))
    }
  })

  it('may show fewer where fewer keyed, none where these are as many as rebuild a secret', () => {
    const less = (keyed: readonly KeyedSite[], ...sites: number[]) => keyed.filter(({ site }) => !sites.includes(site))
    const three = lackedBy(10, { 9: [0, 1, 2] })
    assert.deepEqual(graphOf(all(10), three.keyed), complete(all(10), three.missing))
    assert.deepEqual(graphOf(all(10), less(three.keyed, 8)), complete(sitesOut(10, 8, 9)))
    const one = lackedBy(10, { 9: [0] })
    assert.deepEqual(graphOf(all(10), less(one.keyed, 7, 8)), complete(sitesOut(10, 7, 8), one.missing))
    // Without it seven are left of eight, as many as it takes; of seven too few.
    assert.deepEqual(graphOf(all(10), less(one.keyed, 7, 8), NOBODYS), complete(all(7)))
    assert.deepEqual(graphOf(all(10), less(one.keyed, 6, 7, 8)), new Map())
    assert.deepEqual(graphOf(all(10), less(keyedAs(holdsAll(10)), 6, 7, 8)), complete(sitesOut(10, 6, 7, 8)))
  })

  it('needs show nothing of whoever did not key, or was not awaited', () => {
    const { keyed } = lackedBy(8, { 2: [6, 7] })
    const [six, seven] = [keyed.filter(({ site }) => site < 6), keyed.slice(0, 7)]
    assert.deepEqual(graphOf(all(8), six, NOBODYS), complete(all(6)))
    assert.deepEqual(graphOf(all(6), keyed, NOBODYS), complete(all(6)))
    assert.deepEqual(graphOf(all(7), seven, NOBODYS), complete(sitesOut(7, 2)))
    assert.equal(complainersOf(siteId(2), { members: all(6) }, keyed, sha256), EMPTY)
    assert.equal(complainersOf(siteId(9), { members: all(6) }, keyed, sha256), all(6))
  })

  it('keeps whoever complains in, as long as that one shares masks with enough', () => {
    const complaining = (of: number) => keyedAs(holdsAll(7).map(({ site, holds }) => ({ site, holds: site === 6 ? all(of) : holds })))
    const missing = [
      [4, 6],
      [5, 6],
    ] as const
    assert.deepEqual(graphOf(all(7), complaining(4)), complete(all(7), missing))
    assert.deepEqual(graphOf(all(7), complaining(3)), complete(all(6)))
    assert.deepEqual(graphOf(all(7), complaining(0)), complete(all(6)))
    // Where these two are silent they are out, and the others are as many as it takes.
    const silent = showing(sitesFrom(4), sitesFrom(7))
    assert.deepEqual(graphOf(all(7), complaining(4), silent), complete(sitesOut(7, 4, 5)))
  })

  it('is named with the very shares that it showed, of those alone who do not hold its deal', () => {
    const { keyed } = lackedBy(7, { 5: [0, 3] })
    const shown = showing(sitesFrom(7), sitesFrom(7))
    const graph = maskGraph(maskingRound(termsOf(all(7)), sha256), keyed, sha256, shown)
    const own = shown.get(siteId(5)) as ShownShares
    assert.deepEqual(
      [...graph.shown(siteId(5))],
      [0, 3].map((site) => [site, own.get(siteId(site))]),
    )
    for (const site of [0, 1, 2, 3, 4, 6, 9]) assert.equal(graph.shown(siteId(site)).size, 0)
  })
})

describe('as many liars as may be missing at once', () => {
  const ROUNDS = 400
  /** Whatever they say, hold or show: those who are honest hold each other's deals, and show the shares of whoever complains. */
  function drawRound(random: Seeded) {
    const n = 5 + below(random, 26)
    const threshold = thresholdOf(n)
    const sites = some(
      Array.from({ length: 60 }, (_, i) => siteId(i)),
      n,
      random,
    )
    const liars = some(sites, below(random, n - threshold + 2), random).slice(0, n - threshold)
    const honest = sites.filter((site) => !liars.includes(site))
    const here = [...honest, ...liars.filter(() => random.uniform() > 0.2)].sort((a, b) => a - b)
    // Each of them complains of many, of few or of nobody, has friends, and deals to many or to few what does not open.
    const rates = (): ReadonlyMap<SiteId, number> => new Map(liars.map((site) => [site, random.uniform() < 0.5 ? random.uniform() : 0.1 * random.uniform()]))
    const [complains, cheats] = [rates(), rates()]
    const isHeld = (dealer: SiteId, holder: SiteId): boolean => {
      const [complaint, cheat] = [complains.get(holder), cheats.get(dealer)]
      if (complaint !== undefined && cheat !== undefined) return random.uniform() > 0.1
      return random.uniform() >= (complaint ?? cheat ?? 0)
    }
    const said = keyedAs(here.map((site) => ({ site, holds: bitmapOf(sites.filter((dealer) => dealer !== site && isHeld(dealer, site))) })))
    // Some name other deals, their own or others'; two key with one deal.
    const keyed = said.map((each) => {
      if (!liars.includes(each.site)) return each
      const dealDigest = random.uniform() < 0.05 ? root(77) : each.dealDigest
      return { ...holding(each, (held) => (random.uniform() < 0.02 ? { ...held, name: 'ee'.repeat(20) } : held)), dealDigest }
    })
    const members = bitmapOf(sites)
    const names = new Map(keyed.map((each) => [each.site, nameOfDeal(each, sha256)]))
    const held = new Map(keyed.map((each) => [each.site, heldByToAudit(each)]))
    const lacking = new Map(here.map((site) => [site, here.filter((holder) => holder !== site && held.get(holder)?.get(site)?.name !== names.get(site))]))
    const shown = new Map(
      [...lacking].map(([site, holders]): [SiteId, ShownShares] => {
        const those = honest.includes(site) || random.uniform() < 0.7 ? holders : some(holders, below(random, holders.length + 1), random)
        return [site, showing([site], those).get(site) as ShownShares]
      }),
    )
    return { members, threshold, keyed, honest: bitmapOf(honest), lacking, shown }
  }

  it(`keep no honest site out, and of whoever is in enough shares are with honest ones or public, of no dealer too many (${ROUNDS} rounds)`, () => {
    const random = new Seeded(11)
    const seen = { complained: 0, liarsIn: 0, liarsOut: 0, most: 0 }
    for (let i = 0; i < ROUNDS; i++) {
      const { members, threshold, keyed, honest, lacking, shown } = drawRound(random)
      graphOf(members, keyed, shown)
      const graph = maskGraph(maskingRound(termsOf(members), sha256), keyed, sha256, shown)
      assert.equal(honest & ~graph.sites, 0n, `round ${i}: sites ${sitesOf((honest & ~graph.sites) as Bitmap)} are out`)
      for (const site of sitesOf(graph.sites)) {
        const known = graph.shown(site)
        assert.ok(sizeOf(graph.neighbours(site)) >= threshold - 1)
        assert.ok(known.size <= keyed.length - threshold)
        assert.equal(bitmapOf(known.keys()) & graph.holders(site), 0n)
        assert.equal(bitmapOf(known.keys()) | graph.holders(site), bitmapOf(keyed.map((each) => each.site)))
        assert.ok(sizeOf((graph.holders(site) & honest) as Bitmap) + known.size >= threshold)
        if (known.size > 0) seen.complained += 1
        if (known.size === keyed.length - threshold && known.size > 0) seen.most += 1
      }
      const liars = bitmapOf(keyed.map((each) => each.site).filter((site) => !has(honest, site)))
      const anybody = keyed[0]?.site as SiteId
      assert.equal(complainersOf(anybody, { members }, keyed, sha256), bitmapOf(lacking.get(anybody) as SiteId[]))
      for (const site of sitesOf(liars)) {
        const holders = lacking.get(site) as SiteId[]
        const isJustified = holders.every((holder) => shown.get(site)?.has(holder)) && holders.length <= keyed.length - threshold
        if (!isJustified) assert.ok(!has(graph.sites, site))
        if (has(graph.sites, site)) seen.liarsIn += 1
        else seen.liarsOut += 1
      }
      // The honest alone unmask what is in, be they the only ones in the set.
      checkSurvivors(graph, maskingRound(termsOf(members), sha256), honest)
    }
    assert.ok(seen.complained > 500 && seen.liarsIn > 150 && seen.liarsOut > 150 && seen.most > 20, JSON.stringify(seen))
  })
})

describe('who holds the shares of a site', () => {
  const graphWith = (keyed: readonly KeyedSite[], n: number) => {
    graphOf(all(n), keyed)
    return maskGraph(maskingRound(termsOf(all(n)), sha256), keyed, sha256, showing(sitesFrom(n), sitesFrom(n)))
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

describe('a frozen set', () => {
  it('unmasks its sum where it is as many as rebuild a secret, the shares that are public among theirs, and all of it are in', () => {
    const round = maskingRound(termsOf(all(7)), sha256)
    // The first does not hold what the second keyed with: of that six have shares, four of these in the smallest set.
    const keyed = keyedAs(holdsAll(7).map(({ site, holds }) => ({ site, holds: site === 0 ? without(holds, siteId(1)) : holds })))
    const graph = maskGraph(round, keyed, sha256, showing([siteId(1)], [siteId(0)]))
    for (const set of [all(5), all(6), all(7)]) checkSurvivors(graph, round, set)
    assert.throws(() => checkSurvivors(graph, round, all(4)), { code: 'ROTA-2327' })
    const silent = maskGraph(round, keyed, sha256)
    assert.throws(() => checkSurvivors(silent, round, all(5)), { code: 'ROTA-2328' })
    checkSurvivors(silent, round, without(all(7), siteId(1)))
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
      // Some dealers show nothing, or not all.
      const isSilent = random.uniform() < 0.5 ? 0 : random.uniform() ** 2
      const shown = new Map(
        here.map((site) => [
          site,
          showing(
            [site],
            sites.filter(() => random.uniform() >= isSilent * 0.1),
          ).get(site) as ShownShares,
        ]),
      )
      const graph = graphOf(bitmapOf(sites), keyed, shown)
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
