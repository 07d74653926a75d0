import assert from 'node:assert/strict'
import process from 'node:process'
import { before, describe, it } from 'node:test'
import { bitmapOf, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type Bitmap, type SiteId, siteId } from '#base/ids.ts'
import { checkSurvivors } from '#core/masking/graph.ts'
import { kindFor, toRelease } from '#core/masking/release.ts'
import { Seeded } from '#core/model/seeded.ts'
import { below, type Keyed, keyIn, makeParty, maskOf, type Party, plainSum, some, unmaskedSum } from '../../support/masked-party.ts'

// given a masked round of 5 to 12 sites
// ├── whoever drops out while keying, before contributing or before answering, whichever deals were lost, whoever says so of others, and whichever dealers show no shares for it
// │   ├── it unmasks to the plain sum of the frozen set, bit by bit
// │   └── or, when too few are left, says so before anybody shows a share
// └── no site ever shows both kinds of share about one other, and all show the same kind, and as much as it holds

const CASES = Number(process.env['ROTA_MASKING_CASES'] ?? 300)
const SIZES = [5, 6, 7, 8, 9, 10, 11, 12]

interface Case {
  readonly keyed: Keyed
  readonly survivors: readonly SiteId[]
  readonly answering: readonly SiteId[]
  readonly wordBits: 32 | 64
  readonly words: number
}

/** Mostly as many drop-outs as the threshold bears, in three phases; sometimes one more. Deals are lost in every third round. */
function drawCase(party: Party, random: Seeded): Case {
  const all = [...party.members.keys()]
  const drops = [0, 0, 0]
  for (let left = below(random, all.length - party.round.threshold + 1) + (random.uniform() < 0.1 ? 1 : 0); left > 0; left--) drops[below(random, 3)]! += 1
  const keyed = some(all, all.length - drops[0]!, random)
  const lossRate = random.uniform() < 0.33 ? 0.04 : 0
  const lost = new Set(keyed.flatMap((a) => keyed.filter((b) => a !== b && random.uniform() < lossRate).map((b) => `${a}>${b}`)))
  // Some say that they do not hold what others dealt, and some show no shares.
  const liars = random.uniform() < 0.4 ? some(keyed, 1 + below(random, all.length - party.round.threshold), random) : []
  const complaints = new Set(liars.flatMap((a) => keyed.filter((b) => a !== b && random.uniform() < 0.5).map((b) => `${b}>${a}`)))
  const isLost = (dealer: SiteId, holder: SiteId) => lost.has(`${dealer}>${holder}`) || complaints.has(`${dealer}>${holder}`)
  const silent = random.uniform() < 0.1 ? some(keyed, 1, random) : []
  const state = keyIn(party, { keyed, isLost, silent })
  const inGraph = sitesOf(state.graph.sites)
  const survivors = some(inGraph, Math.max(0, inGraph.length - drops[1]!), random)
  // Who found no place has shares all the same, and shows them.
  const here = [...survivors, ...keyed.filter((site) => !inGraph.includes(site))]
  const answering = some(here, Math.max(0, here.length - drops[2]!), random)
  return { keyed: state, survivors, answering, wordBits: random.uniform() < 0.5 ? 32 : 64, words: 1 + below(random, 70) }
}

/** Every seed has t shares among those who answer. */
const isEnough = ({ keyed: { graph, events, party }, survivors, answering }: Case): boolean =>
  sitesOf((bitmapOf(survivors) | graph.sites) as Bitmap).every((dealer) => {
    const knows = answering.filter((site) => site === dealer || events.some((said) => said.site === site && has(said.holds, dealer))).length
    return knows + graph.shown(dealer).size >= party.round.threshold
  })

const parties = new Map<number, Party>()

describe('masked sums', () => {
  before(async () => {
    for (const n of SIZES)
      parties.set(
        n,
        await makeParty(
          some(
            Array.from({ length: 256 }, (_, i) => siteId(i)),
            n,
            new Seeded(n),
          ),
          new Seeded(100 + n),
        ),
      )
  })

  it(`unmask to the plain sum, or say before anything is shown that they cannot (${CASES} rounds)`, async () => {
    const random = new Seeded(2026)
    let [unmasked, withPublic] = [0, 0]
    for (let i = 0; i < CASES; i++) {
      const drawn = drawCase(parties.get(SIZES[i % SIZES.length]!)!, random)
      const { keyed, survivors, answering, wordBits, words } = drawn
      const plain = new Map(survivors.map((site) => [site, random.bytes((words * wordBits) / 8)]))
      const masked = new Map([...plain].map(([site, bytes]) => [site, maskOf(keyed, site, bytes, wordBits)]))
      try {
        checkSurvivors(keyed.graph, keyed.party.round, bitmapOf(survivors))
      } catch (error) {
        assert.ok(isRotaError(error, 'ROTA-2327') || isRotaError(error, 'ROTA-2328'), String(error))
        continue
      }
      if (!isEnough(drawn)) {
        await assert.rejects(unmaskedSum(keyed, masked, wordBits, answering), { code: 'ROTA-2329' })
        continue
      }
      const { sum, wrong } = await unmaskedSum(keyed, masked, wordBits, answering)
      assert.equal(toHex(sum), toHex(plainSum([...plain.values()], wordBits).bytes), `case ${i}`)
      assert.equal(wrong, 0n)
      unmasked += 1
      if (sitesOf(keyed.graph.sites).some((site) => keyed.graph.shown(site).size > 0)) withPublic += 1
    }
    assert.ok(withPublic > CASES / 6, `only in ${withPublic} of ${CASES} some shares were public`)
    assert.ok(unmasked > CASES / 2, `only ${unmasked} of ${CASES} could be unmasked`)
  })

  it('never show both kinds of share about one site, and all that anybody holds', () => {
    const random = new Seeded(5)
    let ofOneWay = 0
    for (let i = 0; i < CASES; i++) {
      const { keyed, survivors } = drawCase(parties.get(SIZES[i % SIZES.length]!)!, random)
      const frozen = bitmapOf(survivors)
      const shown = [...keyed.party.members.keys()].map((site) => ({ site, ...toRelease(keyed.graph, frozen, site) }))
      const self = shown.reduce((set, { self }) => set | self, 0n) as Bitmap
      const mask = shown.reduce((set, { mask }) => set | mask, 0n) as Bitmap
      assert.equal(self & mask, 0n)
      for (const site of sitesOf(self)) assert.ok(has(frozen, site) && kindFor(frozen, site) === 'self')
      for (const site of sitesOf(mask)) assert.ok(!has(frozen, site) && kindFor(frozen, site) === 'mask')
      for (const { site, ...released } of shown) {
        const said = keyed.events.find((event) => event.site === site)
        const held = ((said?.holds ?? 0n) & keyed.graph.sites) as Bitmap
        // Who keyed shows what it says that it holds, in the graph or not; who did not, nothing.
        const own = (said === undefined ? 0n : bitmapOf([site]) & keyed.graph.sites) as Bitmap
        assert.deepEqual(released, { self: ((held | own) & frozen) as Bitmap, mask: ((held | own) & ~frozen) as Bitmap })
        ofOneWay += sizeOf(((released.self | released.mask) & ~keyed.graph.neighbours(site) & ~own) as Bitmap)
      }
    }
    assert.ok(ofOneWay > CASES / 2, `${ofOneWay} shares of sites with which the holder shares no mask`)
  })
})
