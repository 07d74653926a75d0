import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { before, describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { isDisproved } from '#audit/masks/disproofs.ts'
import { settleDoubts } from '#audit/masks/doubts.ts'
import { edgesOf, maskRoundOf } from '#audit/masks/mask-round.ts'
import type { MaskEvidence } from '#audit/masks/seeds.ts'
import { fits, secretOf } from '#audit/masks/shares.ts'
import { unmask } from '#audit/masks/unmask.ts'
import { bitmapOf, has, sitesOf } from '#base/bitmap.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { type Digest, type SiteId, siteId } from '#base/ids.ts'
import type { Release } from '#core/masking/release.ts'
import { Seeded } from '#core/model/seeded.ts'
import { encodeParcel } from '#wire/masking/parcel.ts'
import {
  below,
  digestOf,
  type Keyed,
  keyIn,
  makeParty,
  maskOf,
  type Party,
  plainSum,
  releasesOf,
  sitesFrom,
  some,
  termsOf,
  unmaskInput,
} from '../../support/masked-party.ts'

// given masked rounds made by the nodes' code
// ├── the audit's own code has the same context, mask graph and shares
// ├── it takes the masks off as far as shares allow, and gets the plain sum, bit by bit
// └── it names who released a wrong share or hid a wrong secret, and what is lacking

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
  return { round, edges: edgesOf(round, keyed.events), survivors: frozen, indexes, records: keyed.records, releases, told: new Map() }
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
    const changeShare = (releases: Map<SiteId, Release>, from: SiteId, about: SiteId): Map<SiteId, Release> => {
      const release = releases.get(from)!
      const place = sitesOf(release.about).indexOf(about)
      return releases.set(from, {
        ...release,
        shares: release.shares.with(
          place,
          release.shares[place]!.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
        ),
      })
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
        assert.deepEqual(found.blamed, [{ site: 2, message: `site 2 released a wrong share of the mask of site ${about}` }])
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
      const parcels = new Map(
        [...keyed.party.members.values()].flatMap(({ deal }) =>
          [...deal.parcels.values()].map((parcel) => [toDigest(digestOf(parcel)), encodeParcel(parcel)] as const),
        ),
      )
      const evidence = evidenceOf(keyed, survivors, changeShare(shown(), siteId(2), siteId(3)))
      const { doubted } = unmask(evidence, sum, 32)
      assert.deepEqual(doubted, [3])
      assert.deepEqual(await settleDoubts(evidence, doubted, async (cid) => parcels.get(cid) ?? null), ['site 2 released a wrong share of the mask of site 3'])
      assert.deepEqual(await settleDoubts(evidence, doubted, async () => null), [
        'a share of the mask of site 3 is wrong, one of those that sites 1, 2, 3, 4, 5 released, or they were dealt so',
      ])
      const honest = {
        ...evidenceOf(keyed, survivors, shown()),
        indexes: new Map(evidence.indexes).set(siteId(4), { ...evidence.indexes.get(siteId(4))!, selfCommitment: new Uint8Array(32) }),
      }
      const other = unmask(honest, sum, 32).doubted
      assert.deepEqual(await settleDoubts(honest, other, async (cid) => parcels.get(cid) ?? null), [
        'site 4 dealt shares of another secret than it committed to',
      ])
      const shares = [...shown()].map(([holder, release]) => ({ holder, share: release.shares[sitesOf(release.about).indexOf(siteId(4))]! }))
      const disproof = { dealer: siteId(4), shares }
      const fetch = async (cid: Digest) => parcels.get(cid) ?? null
      assert.equal(await isDisproved(honest, disproof, fetch), true)
      assert.equal(await isDisproved(honest, disproof, async () => null), null)
      assert.equal(await isDisproved(evidence, disproof, fetch), false)
      assert.equal(await isDisproved(honest, { ...disproof, shares: shares.slice(1) }, fetch), false)
      assert.equal(await isDisproved(honest, { ...disproof, shares: shares.with(0, { ...shares[0]!, share: shares[1]!.share }) }, fetch), false)
    })

    it('takes a seed that an attester tells where shares do not do, if it is the right one', () => {
      const evidence = evidenceOf(keyed, survivors, changeShare(shown(), siteId(2), siteId(3)))
      const told = (seed: Uint8Array) => new Map([[siteId(5), { seeds: new Map([[siteId(3), seed]]), pairs: [] }]])
      const { self } = keyed.party.members.get(siteId(3))!.keys.seeds
      assert.deepEqual(unmask({ ...evidence, told: told(self) }, sum, 32).plain, plain)
      const lied = unmask({ ...evidence, told: told(new Uint8Array(32)) }, sum, 32)
      assert.deepEqual([lied.plain, lied.blamed], [null, [{ site: 5, message: 'site 5 tells a wrong seed of the mask of site 3' }]])
    })

    it('names a site that hid a wrong secret, and takes the secret that its neighbour tells', () => {
      const evidence = evidenceOf(keyed, survivors, shown())
      const record = evidence.records.get(last)!
      const records = new Map(evidence.records).set(last, {
        ...record,
        pads: record.pads.with(
          2,
          record.pads[2]!.map((byte) => byte ^ 1),
        ),
      })
      const found = unmask({ ...evidence, records }, sum, 32)
      assert.deepEqual(found, {
        plain,
        lacking: [],
        blamed: [{ site: 6, message: 'site 6 hid a wrong secret of its pair with site 2' }],
        doubted: [],
        noted: [],
      })
      const told = evidence.releases.get(siteId(2))!
      assert.ok(has(told.pairs, last))
      const releases = new Map(evidence.releases).set(siteId(2), { ...told, pairSecrets: told.pairSecrets.map((secret) => secret.map((byte) => byte ^ 1)) })
      const lost = unmask({ ...evidence, records, releases }, sum, 32)
      assert.equal(lost.plain, null)
      assert.deepEqual(lost.lacking, ['the mask between site 2 and site 6, which dropped out, cannot be made again'])
      assert.equal(lost.blamed.at(-1)?.message, 'site 2 released a wrong secret of its pair with site 6')
    })

    it('says so when a deal is gone', () => {
      const evidence = evidenceOf(keyed, survivors, shown())
      const indexes = new Map(evidence.indexes)
      indexes.delete(siteId(0))
      assert.deepEqual(unmask({ ...evidence, indexes }, sum, 32).lacking, ['the deal of site 0 is not in the stores'])
    })
  })
})
