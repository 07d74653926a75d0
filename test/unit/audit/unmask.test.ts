import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { before, describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { FaultList } from '#audit/fault-list.ts'
import { isDisproved } from '#audit/masks/disproofs.ts'
import { settleDoubts } from '#audit/masks/doubts.ts'
import { readJustifications } from '#audit/masks/justifications.ts'
import { linksOf, maskRoundOf } from '#audit/masks/mask-round.ts'
import type { MaskEvidence } from '#audit/masks/seeds.ts'
import { fits, secretOf } from '#audit/masks/shares.ts'
import { unmask } from '#audit/masks/unmask.ts'
import { bitmapOf, sitesOf, without, withSite } from '#base/bitmap.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { type Digest, roundNo, runId, type SiteId, siteId } from '#base/ids.ts'
import { HIDDEN_BYTES, nameOfDeal } from '#core/masking/held-deals.ts'
import { type Disproof, isDisproved as isDisprovedTo, rebuildSeeds } from '#core/masking/rebuild.ts'
import type { Release } from '#core/masking/release.ts'
import { Seeded } from '#core/model/seeded.ts'
import { encodeParcel } from '#wire/masking/parcel.ts'
import {
  below,
  cutShort,
  dealBy,
  digestOf,
  givesOtherPairs,
  hidingOther,
  holding,
  type Keyed,
  keyedWith,
  keyIn,
  makeParty,
  maskOf,
  type Party,
  plainSum,
  releasesOf,
  sitesFrom,
  some,
  termsOf,
  toldIn,
  unmaskInput,
  withDeal,
} from '../../support/masked-party.ts'

// given masked rounds made by the nodes' code
// ├── the audit's own code has the same context, mask graph and shares
// ├── it takes the masks off as far as shares allow, and gets the plain sum, bit by bit
// ├── it names who released a wrong share, and what is lacking
// └── of a site that hid a false secret of a pair, or gave others than its seed makes, it believes what nodes believe

const CASES = Number(process.env['ROTA_MASKING_CASES'] ?? 60)
const vectors = JSON.parse(await readFile(join(import.meta.dirname, '../../vectors/masking.json'), 'utf8'))

describe('shares put together by the audit', () => {
  it('give the known secrets', () => {
    for (const { shares, secret } of vectors.shamir.lines) assert.equal(toHex(secretOf(shares.map((hex: string) => fromHex(hex)))!), secret)
  })

  it('are those of the library, any five of eight; a sixth is on the curve, a changed one is not', async () => {
    const own = new Seeded(3).bytes(32)
    const shares = await nodeMasking.split(own, 8, 5)
    for (let i = 0; i < 8; i++) {
      const five = [...shares.slice(i), ...shares.slice(0, i)].slice(0, 5)
      const other = shares[(i + 5) % 8]!
      assert.deepEqual(secretOf(five), own)
      assert.equal(fits(five, other), true)
      for (const at of [0, 31, 32])
        assert.equal(
          fits(
            five,
            other.map((byte, k) => (k === at ? byte ^ 4 : byte)),
          ),
          false,
        )
    }
    assert.equal(secretOf([shares[0]!, shares[0]!]), null)
    assert.equal(secretOf([shares[0]!, shares[1]!.subarray(1)]), null)
    assert.equal(secretOf([]), null)
  })
})

const evidenceOf = (keyed: Keyed, survivors: readonly SiteId[], releases: ReadonlyMap<SiteId, Release>): MaskEvidence => {
  const frozen = bitmapOf(survivors)
  const { indexes } = unmaskInput(keyed, frozen, releases)
  const round = maskRoundOf(termsOf(keyed.party.round.members))
  return {
    round,
    keyed: new Map(keyed.events.map((said) => [said.site, said])),
    ...linksOf(round, keyed.events, readJustifications(toldIn(keyed), round, new FaultList(runId(3), roundNo(7)))),
    survivors: frozen,
    indexes,
    releases,
    told: new Map(),
  }
}

const parties = new Map<number, Party>()

describe('masks taken off by the audit', () => {
  before(async () => {
    for (const n of [5, 7, 10])
      parties.set(
        n,
        await makeParty(
          some(
            Array.from({ length: 256 }, (_, i) => siteId(i)),
            n,
            new Seeded(n),
          ),
          new Seeded(n),
        ),
      )
  })

  it(`leave the plain sum wherever enough shares are shown (${CASES} rounds)`, () => {
    const random = new Seeded(77)
    let unmasked = 0
    for (let i = 0; i < CASES; i++) {
      const party = parties.get([5, 7, 10][i % 3]!)!
      const all = [...party.members.keys()]
      const spare = all.length - party.round.threshold
      const keyed = keyIn(party, { keyed: all, isLost: () => random.uniform() < 0.01 })
      const inGraph = sitesOf(keyed.graph.sites)
      const survivors = some(inGraph, Math.max(1, inGraph.length - below(random, spare + 1)), random)
      const answering = some(survivors, Math.max(1, survivors.length - below(random, 2)), random)
      const wordBits = i % 2 === 0 ? 32 : 64
      const plain = survivors.map((site) => [site, random.bytes(240)] as const)
      const masked = plain.map(([site, bytes]) => maskOf(keyed, site, bytes, wordBits))
      const evidence = evidenceOf(keyed, survivors, releasesOf(keyed, bitmapOf(survivors), answering))
      assert.deepEqual([...evidence.edges.keys()], inGraph)
      for (const site of inGraph) assert.equal(bitmapOf(evidence.edges.get(site)!), keyed.graph.neighbours(site))
      assert.deepEqual(evidence.round.ctx, party.round.ctx)
      const found = unmask(evidence, plainSum(masked, wordBits).bytes, wordBits)
      assert.deepEqual(found.blamed, [])
      if (found.plain === null) {
        assert.match(found.lacking[0]!, /shares that rebuild the mask of site \d+ are in the stores/)
        continue
      }
      unmasked += 1
      const sum = plainSum(
        plain.map(([, bytes]) => bytes),
        wordBits,
      )
      assert.equal(toHex(found.plain), toHex(sum.bytes), `case ${i}`)
    }
    assert.ok(unmasked > CASES / 3, `only ${unmasked} of ${CASES}`)
  })

  describe('of seven sites, the first and the last of which dropped out', () => {
    const sites = sitesFrom(7)
    const survivors = sites.slice(1, -1)
    const last = sites.at(-1)!
    let keyed: Keyed
    let plain: Uint8Array
    let sum: Uint8Array

    before(async () => {
      keyed = keyIn(await makeParty(sites, new Seeded(9)), { keyed: sites, isLost: () => false })
      const random = new Seeded(10)
      const words = survivors.map((site) => [site, random.bytes(64)] as const)
      plain = plainSum(
        words.map(([, bytes]) => bytes),
        32,
      ).bytes
      sum = plainSum(
        words.map(([site, bytes]) => maskOf(keyed, site, bytes, 32)),
        32,
      ).bytes
    })

    const shown = (): Map<SiteId, Release> => releasesOf(keyed, bitmapOf(survivors), survivors)
    const other = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte))
    const changeShare = (releases: Map<SiteId, Release>, from: SiteId, about: SiteId): Map<SiteId, Release> => {
      const release = releases.get(from)!
      const place = sitesOf(release.about).indexOf(about)
      return releases.set(from, { ...release, shares: release.shares.with(place, other(release.shares[place]!)) })
    }
    const parcelsOf = ({ members }: Party) =>
      new Map(
        [...members.values()].flatMap(({ deal }) => [...deal.parcels.values()].map((parcel) => [toDigest(digestOf(parcel)), encodeParcel(parcel)] as const)),
      )
    const fetchFrom = (party: Party) => {
      const parcels = parcelsOf(party)
      return async (cid: Digest) => parcels.get(cid) ?? null
    }

    it('is the plain sum', () => {
      assert.deepEqual(unmask(evidenceOf(keyed, survivors, shown()), sum, 32), { plain, lacking: [], blamed: [], doubted: [], noted: [] })
    })

    it('names who released a wrong share where the others are enough', async () => {
      // The threshold of seven is five: with five survivors nothing is to spare, so six stay in here.
      const six = sites.slice(1)
      const random = new Seeded(11)
      const words = six.map((site) => [site, random.bytes(64)] as const)
      const masked = plainSum(
        words.map(([site, bytes]) => maskOf(keyed, site, bytes, 32)),
        32,
      ).bytes
      for (const about of [siteId(0), siteId(3)]) {
        const releases = changeShare(releasesOf(keyed, bitmapOf(six), six), siteId(2), about)
        const found = unmask(evidenceOf(keyed, six, releases), masked, 32)
        assert.deepEqual(found.lacking, [])
        const blamed = found.blamed.map(({ site, message }) => ({ site, message }))
        assert.deepEqual(blamed, [{ site: 2, message: `site 2 released a wrong share of the mask of site ${about}` }])
        assert.deepEqual(
          found.plain,
          plainSum(
            words.map(([, bytes]) => bytes),
            32,
          ).bytes,
        )
      }
    })

    it('says whose mask stays on when no choice of shares is right, or too few are there', () => {
      const wrong = unmask(evidenceOf(keyed, survivors, changeShare(shown(), siteId(2), siteId(3))), sum, 32)
      assert.deepEqual([wrong.plain, wrong.lacking], [null, ['the shares of the mask of site 3 do not rebuild what its deal commits to']])
      const releases = shown()
      releases.delete(siteId(4))
      const missing = unmask(evidenceOf(keyed, survivors, releases), sum, 32)
      assert.equal(missing.plain, null)
      assert.equal(missing.lacking.length, 7)
      assert.equal(missing.lacking[0], '4 of the 5 shares that rebuild the mask of site 0 are in the stores')
    })

    it('names by parcels who released a wrong share, or dealt one, where shares are no more than enough', async () => {
      const fetch = fetchFrom(keyed.party)
      const evidence = evidenceOf(keyed, survivors, changeShare(shown(), siteId(2), siteId(3)))
      const { doubted } = unmask(evidence, sum, 32)
      assert.deepEqual(doubted, [3])
      assert.deepEqual(await settleDoubts(evidence, doubted, fetch), ['site 2 released a wrong share of the mask of site 3'])
      assert.deepEqual(await settleDoubts(evidence, doubted, async () => null), [
        'a share of the mask of site 3 is wrong, one of those that sites 1, 2, 3, 4, 5 released, or they were dealt so',
      ])
      const honest = {
        ...evidenceOf(keyed, survivors, shown()),
        indexes: new Map(evidence.indexes).set(siteId(4), { ...evidence.indexes.get(siteId(4))!, selfCommitment: new Uint8Array(32) }),
      }
      const other = unmask(honest, sum, 32).doubted
      assert.deepEqual(await settleDoubts(honest, other, fetch), ['site 4 dealt shares of another secret than it committed to'])
      const shares = [...shown()].map(([holder, release]) => ({ holder, share: release.shares[sitesOf(release.about).indexOf(siteId(4))]! }))
      const disproof = { dealer: siteId(4), shares }
      assert.equal(await isDisproved(honest, disproof, fetch), true)
      assert.equal(await isDisproved(honest, disproof, async () => null), null)
      assert.equal(await isDisproved(evidence, disproof, fetch), false)
      assert.equal(await isDisproved(honest, { ...disproof, shares: shares.slice(1) }, fetch), false)
      assert.equal(await isDisproved(honest, { ...disproof, shares: shares.with(0, { ...shares[0]!, share: shares[1]!.share }) }, fetch), false)
    })

    it('takes a seed that an attester tells where shares do not do, if it is the right one', () => {
      const evidence = evidenceOf(keyed, survivors, changeShare(shown(), siteId(2), siteId(3)))
      const told = (seed: Uint8Array) => new Map([[siteId(5), { seeds: new Map([[siteId(3), seed]]) }]])
      const { self } = keyed.party.members.get(siteId(3))!.keys.seeds
      assert.deepEqual(unmask({ ...evidence, told: told(self) }, sum, 32).plain, plain)
      const lied = unmask({ ...evidence, told: told(new Uint8Array(32)) }, sum, 32)
      assert.deepEqual([lied.plain, lied.blamed], [null, [{ site: 5, message: 'site 5 tells a wrong seed of the mask of site 3' }]])
    })

    /** The holders' shares as they were dealt. */
    const sharesOf = (dealer: SiteId, holders: readonly SiteId[], kind: 'mask' | 'self' = 'mask') =>
      holders.map((holder) => ({ holder, share: keyed.party.members.get(holder)!.opened.get(dealer)!.shares[kind] }))
    const lackingDeal = ({ indexes }: MaskEvidence, of: SiteId) => new Map([...indexes].filter(([site]) => site !== of))
    /** Of a disproof, to an auditor and to a node who has nobody's shares. */
    const believed = async (state: Keyed, disproof: Disproof, stayed = survivors): Promise<boolean> => {
      const audited = await isDisproved(evidenceOf(state, stayed, new Map()), disproof, fetchFrom(state.party))
      assert.equal(await isDisprovedTo(unmaskInput(state, bitmapOf(stayed), new Map()), disproof), audited, `${disproof.dealer} ${disproof.shares.length}`)
      return audited as boolean
    }

    it('names a site that hid a false secret of a pair, or too little of it, though the other of the pair is silent', async () => {
      for (const [state, lower] of [
        ...survivors.map((each) => [hidingOther(keyed, last, [each]), each] as const),
        ...[1, 32].map((bytes) => [cutShort(keyed, last, bytes), siteId(5)] as const),
      ]) {
        const stayed = sites.slice(0, -1)
        const releases = releasesOf(
          state,
          bitmapOf(stayed),
          stayed.filter((site) => site !== lower),
        )
        const evidence = evidenceOf(state, stayed, releases)
        const { plain: none, lacking, blamed, doubted } = unmask(evidence, sum, 32)
        assert.deepEqual([none, lacking, blamed], [null, ['the shares of the mask of site 6 do not rebuild what its deal commits to'], []])
        assert.deepEqual(doubted, [last])
        assert.deepEqual(await settleDoubts(evidence, doubted, fetchFrom(state.party)), ['site 6 dealt shares of another secret than it committed to'])
        const { disproofs } = await rebuildSeeds(unmaskInput(state, bitmapOf(stayed), releases))
        assert.deepEqual(
          disproofs.map(({ dealer, shares }) => [dealer, shares.length]),
          [[last, 5]],
        )
        assert.equal(await believed(state, disproofs[0]!, stayed), true)
        assert.equal(await believed(keyed, disproofs[0]!, stayed), false)
      }
    })

    it('believes of it what nodes believe', async () => {
      const state = hidingOther(keyed, last, [siteId(3)])
      const found = { dealer: last, shares: sharesOf(last, survivors) }
      for (const [disproof, isBelieved] of [
        [found, true],
        [{ ...found, shares: sharesOf(last, sites.slice(2)) }, true],
        [{ ...found, shares: sharesOf(last, sites.slice(0, 5)).toReversed() }, true],
        [{ ...found, shares: sharesOf(last, survivors, 'self') }, false],
        [{ ...found, shares: found.shares.slice(1) }, false],
        [{ ...found, shares: sharesOf(last, sites.slice(1)) }, false],
        [{ ...found, shares: [...found.shares.slice(1), found.shares[1]!] }, false],
        [{ ...found, shares: found.shares.with(0, { ...found.shares[0]!, share: other(found.shares[0]!.share) }) }, false],
        [{ ...found, shares: found.shares.with(0, { ...found.shares[0]!, holder: siteId(9) }) }, false],
        [{ ...found, shares: [] }, false],
        [{ ...found, dealer: siteId(0) }, false],
        [{ dealer: siteId(0), shares: sharesOf(siteId(0), survivors) }, false],
        [{ dealer: siteId(3), shares: sharesOf(siteId(3), survivors, 'self') }, false],
        [{ dealer: siteId(9), shares: found.shares }, false],
      ] as const)
        assert.equal(await believed(state, disproof), isBelieved, `${disproof.dealer} ${disproof.shares.length}`)
      const evidence = evidenceOf(state, survivors, new Map())
      assert.equal(await isDisproved(evidence, found, async () => null), null)
      // Without the deal of one below it nobody knows what it should have hidden.
      for (const [gone, isBelieved] of [
        [last, null],
        [siteId(3), null],
        [siteId(1), true],
      ] as const)
        assert.equal(await isDisproved({ ...evidence, indexes: lackingDeal(evidence, gone) }, found, fetchFrom(keyed.party)), isBelieved)
      const honest = evidenceOf(keyed, survivors, new Map())
      assert.equal(await isDisproved({ ...honest, indexes: lackingDeal(honest, siteId(1)) }, found, fetchFrom(keyed.party)), null)
      const stayed = { dealer: siteId(3), shares: sharesOf(siteId(3), survivors, 'self') }
      assert.equal(await isDisproved({ ...honest, indexes: lackingDeal(honest, siteId(1)) }, stayed, fetchFrom(keyed.party)), false)
      // Nor is a stranger's deal looked for.
      assert.equal(await isDisproved(honest, { ...found, dealer: siteId(9) }, fetchFrom(keyed.party)), false)
    })

    it('finds nothing where the lower of the pair is not in the set, or shares no mask with it', async () => {
      const found = { dealer: last, shares: sharesOf(last, sites.slice(0, 5)) }
      // It left, as site 0 did; or the upper is in the set itself.
      assert.equal(await believed(hidingOther(keyed, last, [siteId(0)]), found), false)
      assert.deepEqual(unmask(evidenceOf(hidingOther(keyed, last, [siteId(0)]), survivors, shown()), sum, 32).plain, plain)
      assert.equal(await believed(hidingOther(keyed, last, [siteId(3)]), found, sites), false)
      assert.equal(await believed(hidingOther(keyed, last, [siteId(3)]), found, sites.slice(1)), false)
      // It says that it holds no deal of the upper.
      const events = hidingOther(keyed, last, [siteId(3)]).events.map((said) =>
        said.site === 3 ? holding(said, (held) => held, without(said.holds, last)) : said,
      )
      const apart = keyedWith(keyed.party, events)
      assert.equal(apart.graph.sites, bitmapOf(sites))
      const stayed = sites.slice(0, -1)
      for (const set of [survivors, stayed]) assert.equal(await believed(apart, found, set), false)
      const random = new Seeded(12)
      const words = stayed.map((site) => [site, random.bytes(64)] as const)
      const masked = words.map(([site, bytes]) => maskOf(apart, site, bytes, 32))
      const off = unmask(evidenceOf(apart, stayed, releasesOf(apart, bitmapOf(stayed), stayed)), plainSum(masked, 32).bytes, 32)
      assert.deepEqual(off, {
        plain: plainSum(
          words.map(([, bytes]) => bytes),
          32,
        ).bytes,
        lacking: [],
        blamed: [],
        doubted: [],
        noted: [],
      })
    })

    it('finds against a site that names a deal in which nothing was for it, and not against the dealer', async () => {
      const dealer = siteId(3)
      const party = withDeal(keyed.party, dealer, await dealBy(keyed.party, dealer, { to: sites.slice(0, -1) }))
      const honest = keyIn(party, { keyed: sites, isLost: () => false })
      const name = nameOfDeal(honest.events.find(({ site }) => site === dealer)!, nodeMasking.sha256)
      const events = honest.events.map((said) =>
        said.site === last
          ? holding(said, (held, of) => (of === dealer ? { name, hidden: '77'.repeat(HIDDEN_BYTES) } : held), withSite(said.holds, dealer))
          : said,
      )
      const state = keyedWith(party, events)
      const releases = releasesOf(state, bitmapOf(survivors), survivors)
      const { disproofs } = await rebuildSeeds(unmaskInput(state, bitmapOf(survivors), releases))
      assert.deepEqual(
        disproofs.map((each) => each.dealer),
        [last],
      )
      assert.equal(await believed(state, disproofs[0]!), true)
      assert.deepEqual(unmask(evidenceOf(state, survivors, releases), sum, 32).doubted, [last])
      assert.equal(await believed(honest, disproofs[0]!), false)
    })

    it('finds against a dealer that gave other secrets than its seed makes, when it drops out', async () => {
      const dealer = siteId(0)
      const crypto = givesOtherPairs(dealer)
      const state = keyIn(withDeal(keyed.party, dealer, await dealBy(keyed.party, dealer, { crypto }), crypto), { keyed: sites, isLost: () => false })
      const releases = releasesOf(state, bitmapOf(survivors), survivors)
      const { disproofs } = await rebuildSeeds(unmaskInput(state, bitmapOf(survivors), releases))
      assert.deepEqual(
        disproofs.map((each) => each.dealer),
        [dealer],
      )
      assert.equal(await believed(state, disproofs[0]!), true)
      assert.equal(await believed(keyed, disproofs[0]!), false)
      // Where it stayed in, nobody needs its seed: another that drops out hid what it was given.
      assert.equal(await believed(state, { dealer, shares: disproofs[0]!.shares }, sites.slice(0, -1)), false)
      assert.equal(await believed(state, { dealer: last, shares: sharesOf(last, survivors) }, sites.slice(0, -1)), false)
    })

    describe('of whose deals two were shown in part to all', () => {
      // The second complains of the last, which drops out, and of the fourth, which stays: with its shares there are just enough of each.
      const [liar, stays] = [siteId(1), siteId(3)]
      let state: Keyed
      before(() => {
        state = keyIn(keyed.party, { keyed: sites, isLost: (dealer, holder) => holder === liar && (dealer === last || dealer === stays) })
        assert.deepEqual(
          [last, stays, siteId(2)].map((site) => [...state.graph.shown(site).keys()]),
          [[liar], [liar], []],
        )
        assert.equal(state.graph.sites, bitmapOf(sites))
      })
      const seedsOf = (site: SiteId) => keyed.party.members.get(site)!.keys.seeds
      const releasesIn = (of: Keyed) => releasesOf(of, bitmapOf(survivors), survivors)

      it('has the right seed of each, and the plain sum', async () => {
        const releases = releasesIn(state)
        assert.deepEqual([releases.get(liar)!.about & bitmapOf([last, stays]), releases.get(siteId(2))!.about], [0n, bitmapOf(sites)])
        const { seeds, wrong, disproofs } = await rebuildSeeds(unmaskInput(state, bitmapOf(survivors), releases))
        assert.deepEqual([seeds.get(last), seeds.get(stays), wrong, disproofs], [seedsOf(last).mask, seedsOf(stays).self, 0n, []])
        const words = survivors.map((site) => [site, new Seeded(site + 50).bytes(64)] as const)
        const masked = plainSum(
          words.map(([site, bytes]) => maskOf(state, site, bytes, 32)),
          32,
        ).bytes
        const right = plainSum(
          words.map(([, bytes]) => bytes),
          32,
        ).bytes
        assert.deepEqual(unmask(evidenceOf(state, survivors, releases), masked, 32), { plain: right, lacking: [], blamed: [], doubted: [], noted: [] })
        // One more that is silent, and they are too few of these two as of all others.
        const fewer = new Map([...releases].filter(([site]) => site !== siteId(2)))
        await assert.rejects(rebuildSeeds(unmaskInput(state, bitmapOf(survivors), fewer)), { code: 'ROTA-2329' })
        assert.equal(unmask(evidenceOf(state, survivors, fewer), masked, 32).plain, null)
        // Whose share all know of these two may be silent: of them enough are left, of the others not.
        const unneeded = new Map([...releases].filter(([site]) => site !== liar))
        const { lacking } = unmask(evidenceOf(state, survivors, unneeded), masked, 32)
        assert.deepEqual(
          lacking.map((line) => line.match(/of site (\d+) are/)?.[1]),
          ['0', '1', '2', '4', '5'],
        )
      })

      it('blames who released a wrong share, and not whose share was shown', async () => {
        for (const about of [last, stays]) {
          const releases = changeShare(releasesIn(state), siteId(2), about)
          await assert.rejects(
            rebuildSeeds(unmaskInput(state, bitmapOf(survivors), releases)),
            (error: { code?: string; details?: { site?: unknown; good?: unknown; wrong?: unknown } }) =>
              error.code === 'ROTA-2329' && error.details?.site === about && error.details.good === 4 && error.details.wrong === '2',
          )
          const evidence = evidenceOf(state, survivors, releases)
          const { doubted } = unmask(evidence, sum, 32)
          assert.deepEqual(doubted, [about])
          assert.deepEqual(await settleDoubts(evidence, doubted, fetchFrom(keyed.party)), [`site 2 released a wrong share of the mask of site ${about}`])
          assert.deepEqual(await settleDoubts(evidence, doubted, async () => null), [
            `a share of the mask of site ${about} is wrong, one of those that sites 2, 3, 4, 5 released, or they were dealt so`,
          ])
        }
      })

      it('believes a disproof with these shares, of the kind that the set asks for and as they were shown', async () => {
        const lied = hidingOther(state, last, [siteId(2)])
        const releases = releasesIn(lied)
        const { disproofs } = await rebuildSeeds(unmaskInput(lied, bitmapOf(survivors), releases))
        assert.deepEqual(
          disproofs.map(({ dealer, shares }) => [dealer, shares.map(({ holder }) => holder)]),
          [[last, survivors]],
        )
        const found = disproofs[0]!
        const [own, ...others] = found.shares as [Disproof['shares'][number], ...Disproof['shares']]
        const { mask, self } = keyed.party.members.get(last)!.deal.shares.get(liar)!
        assert.deepEqual(own, { holder: liar, share: mask })
        for (const [shares, isBelieved] of [
          [found.shares, true],
          [[...others, own], true],
          [sharesOf(last, sites.slice(0, 5)), true],
          [[{ ...own, share: other(own.share) }, ...others], false],
          [[{ ...own, share: self }, ...others], false],
          [[{ ...own, holder: siteId(0) }, ...others], false],
          [[own, ...others.with(0, { ...others[0]!, share: other(others[0]!.share) })], false],
          [others, false],
          [[own, own, ...others.slice(1)], false],
        ] as const)
          assert.equal(await believed(lied, { dealer: last, shares }), isBelieved)
        assert.equal(await believed(state, found), false)
        assert.equal(await believed(lied, { dealer: stays, shares: sharesOf(stays, survivors, 'self') }), false)
        assert.equal(await isDisproved(evidenceOf(lied, survivors, new Map()), found, async () => null), null)
        // Where it shows nothing it has no place, and its shares disprove nothing.
        const silent = keyedWith(lied.party, lied.events, [])
        assert.equal(await believed(silent, found), false)
      })
    })

    it('says so when a deal is gone', () => {
      const evidence = evidenceOf(keyed, survivors, shown())
      const indexes = new Map(evidence.indexes)
      indexes.delete(siteId(0))
      assert.deepEqual(unmask({ ...evidence, indexes }, sum, 32).lacking, ['the deal of site 0 is not in the stores'])
    })
  })
})
