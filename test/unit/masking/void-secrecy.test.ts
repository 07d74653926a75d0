import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { bitmapOf, has, sitesOf } from '#base/bitmap.ts'
import { toHex } from '#base/bytes.ts'
import type { SiteId } from '#base/ids.ts'
import type { MaskingCrypto } from '#core/masking/crypto.ts'
import { mostShown } from '#core/masking/graph.ts'
import { showPair } from '#core/masking/held-deals.ts'
import { streamsOf } from '#core/masking/mask.ts'
import type { OpenedDeal } from '#core/masking/open-deal.ts'
import { pairSecret, selfKey } from '#core/masking/pair-key.ts'
import { maskKeyOf, type RoundKeys } from '#core/masking/round-keys.ts'
import { toleratedOf } from '#core/masking/threshold.ts'
import { addStreams, opposite } from '#core/masking/words.ts'
import { Seeded } from '#core/model/seeded.ts'
import { type Keyed, keyIn, makeParty, maskOf, type Party, sitesFrom, termsOf } from '../../support/masked-party.ts'

// given a masked round in which all that keyed contributed and nothing was released, and some who put together what they have with what is public
// ├── where as many shares of a dealer are public as may be, because honest sites lost its deal
// │   ├── 2t − n − 1 of n have the same view for any other input, and lack a share of both its seeds
// │   └── one more of them has both: it takes the dealer's masks off
// └── where all hold all deals
//     ├── t − 1 have the same view for any other input, and lack a share of every seed
//     └── t take all masks off

const BYTES = 160
/** n that keyed, of m members. */
const SIZES = [
  [5, 5],
  [7, 7],
  [8, 8],
  [9, 10],
  [12, 12],
] as const

/** What those in league have of a dealer: their own shares, also those that they deny, and what it showed to all. */
function sharesOf({ party, graph }: Keyed, colluders: readonly SiteId[], dealer: SiteId): readonly OpenedDeal['shares'][] {
  const own = colluders.map((site) => party.members.get(site)!.opened.get(dealer)!.shares)
  return [...own, ...[...graph.shown(dealer)].flatMap(([holder, shares]) => (colluders.includes(holder) ? [] : [shares]))]
}

/** Everything there is in a void round: words, what was said and shown on chain, and what those in league were dealt. */
const viewOf = (keyed: Keyed, colluders: readonly SiteId[], inputs: ReadonlyMap<SiteId, Uint8Array>, crypto: MaskingCrypto) => ({
  words: new Map([...inputs].map(([site, bytes]) => [site, maskOf(keyed, site, bytes, 32, crypto)])),
  said: keyed.events,
  justified: keyed.said,
  dealt: colluders.map((site) => keyed.party.members.get(site)!.opened),
})

const inputsOf = (sites: readonly SiteId[], random: Seeded) => new Map(sites.map((site) => [site, random.bytes(BYTES)]))
const wordsOf = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.slice().buffer)
const honestOf = (keyed: Keyed, colluders: readonly SiteId[]): SiteId[] => sitesOf(keyed.graph.sites).filter((site) => !colluders.includes(site))

/** The view is that of another world: honest sites have other inputs, and the masks that nobody else can know make the same words of them. */
function assertHidden(keyed: Keyed, colluders: readonly SiteId[], random: Seeded): void {
  const honest = honestOf(keyed, colluders)
  const here = inputsOf(sitesOf(keyed.graph.sites), random)
  const there = new Map([...here, ...inputsOf(honest, random)])
  const own = new Map(
    honest.map((site) => {
      const { round, members } = keyed.party
      const key = selfKey(round, site, members.get(site)!.keys.seeds.self, nodeMasking)
      const [mask, one, other] = [nodeMasking.keystream(key, 0n, BYTES), here.get(site)!, there.get(site)!].map(wordsOf) as [Int32Array, Int32Array, Int32Array]
      assert.notDeepEqual(one, other)
      return [toHex(key), new Uint8Array(mask.map((word, i) => word + one[i]! - other[i]!).buffer)]
    }),
  )
  const crypto: MaskingCrypto = { ...nodeMasking, keystream: (key, block, length) => own.get(toHex(key))?.slice() ?? nodeMasking.keystream(key, block, length) }
  assert.deepEqual(viewOf(keyed, colluders, there, crypto), viewOf(keyed, colluders, here, nodeMasking))
}

/** With any one share more they would have any seed. */
async function assertAnyFits({ party }: Keyed, shares: readonly Uint8Array[], missing: Uint8Array): Promise<void> {
  assert.equal(shares.length, party.round.threshold - 1)
  const place = missing.at(-1) as number
  const seeds = await Promise.all(
    Array.from({ length: 256 }, (_, y) => nodeMasking.combine([...shares, Uint8Array.from(missing, (_, i) => (i === missing.length - 1 ? place : y))])),
  )
  for (let i = 0; i < missing.length - 1; i++) assert.equal(new Set(seeds.map((seed) => seed![i])).size, 256)
}

/** With both its seeds a site's masks are those that the site made. */
function takenOff({ party, graph, events }: Keyed, site: SiteId, seeds: Pick<RoundKeys['seeds'], 'mask' | 'self'>, words: Uint8Array): Uint8Array {
  const { round, members } = party
  const key = maskKeyOf(seeds.mask, nodeMasking)
  const said = events.find((each) => each.site === site)!
  const opened = new Map(
    sitesOf(graph.neighbours(site)).map((other): [SiteId, OpenedDeal] => {
      const secret = site < other ? pairSecret(round, site, other, seeds.mask, nodeMasking) : showPair(round, other, said, seeds.mask, nodeMasking)!
      const { maskKey } = members.get(other)!.deal.index
      return [other, { dealer: other, shares: seeds, pairSecret: secret, agreed: key.agree(maskKey)! }]
    }),
  )
  const keys: RoundKeys = { ...members.get(site)!.keys, seeds: { ...seeds, channel: new Uint8Array(32) } }
  const bytes = words.slice()
  addStreams(bytes, 32, 0, opposite(streamsOf(round, graph, { site, keys, opened }, nodeMasking)), nodeMasking.keystream)
  return bytes
}

async function assertShown(keyed: Keyed, colluders: readonly SiteId[], dealer: SiteId, random: Seeded): Promise<void> {
  const shares = sharesOf(keyed, colluders, dealer)
  assert.equal(shares.length, keyed.party.round.threshold)
  const [mask, self] = await Promise.all([shares.map((of) => of.mask), shares.map((of) => of.self)].map((of) => nodeMasking.combine(of)))
  const inputs = inputsOf(sitesOf(keyed.graph.sites), random)
  const { words } = viewOf(keyed, colluders, inputs, nodeMasking)
  assert.deepEqual(takenOff(keyed, dealer, { mask: mask!, self: self! }, words.get(dealer)!), inputs.get(dealer))
}

/** Its deal is lost by honest sites, as many as may lack it; all others hold all. */
function keyedWithLosses(party: Party, all: readonly SiteId[], dealer: SiteId): Keyed {
  const without = all.slice(-mostShown(all.length, party.round.threshold))
  const keyed = keyIn(party, { keyed: all, isLost: (from, holder) => from === dealer && without.includes(holder) })
  assert.ok(has(keyed.graph.sites, dealer))
  assert.deepEqual([...keyed.graph.shown(dealer).keys()], without)
  return keyed
}

describe('a void round', () => {
  for (const [n, m] of SIZES) {
    const random = new Seeded(n)
    const [all, dealer] = [sitesFrom(n), sitesFrom(n)[n - 1]!]
    const makeRound = () => makeParty(all, random, termsOf(bitmapOf(sitesFrom(m))))

    it(`of ${n} shows nothing to 2t − n − 1 of them where the most shares are public, and a vector to one more`, async () => {
      const lost = await makeRound()
      const { threshold } = lost.round
      const from = all[toleratedOf(threshold, n)]!
      const keyed = keyedWithLosses(lost, all, from)
      const colluders = all.slice(0, 2 * threshold - n - 1)
      assert.equal(colluders.length, toleratedOf(threshold, n))
      assertHidden(keyed, colluders, random)
      const shares = sharesOf(keyed, colluders, from)
      const missing = keyed.party.members.get(from)!.opened.get(from)!.shares
      for (const kind of ['mask', 'self'] as const)
        await assertAnyFits(
          keyed,
          shares.map((of) => of[kind]),
          missing[kind],
        )
      await assertShown(keyed, [...colluders, all[colluders.length + 1]!], from, random)
    })

    it(`of ${n} shows nothing to t − 1 of them where all hold all deals, and vectors to t`, async () => {
      const keyed = keyIn(await makeRound(), { keyed: all, isLost: () => false })
      const colluders = all.slice(0, keyed.party.round.threshold - 1)
      assertHidden(keyed, colluders, random)
      for (const site of honestOf(keyed, colluders)) {
        const missing = keyed.party.members.get(site)!.opened.get(site)!.shares
        for (const kind of ['mask', 'self'] as const)
          await assertAnyFits(
            keyed,
            sharesOf(keyed, colluders, site).map((of) => of[kind]),
            missing[kind],
          )
      }
      await assertShown(keyed, all.slice(0, keyed.party.round.threshold), dealer, random)
    })
  }
})
