import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { bitmapOf, without } from '#base/bitmap.ts'
import { toHex } from '#base/bytes.ts'
import { digest, roundNo, runId, type SiteId, siteId } from '#base/ids.ts'
import { checkAdvertisement, keyNames } from '#core/masking/advertisement.ts'
import { maskingRound } from '#core/masking/context.ts'
import { type Deal, makeDeal, type Parcel } from '#core/masking/deal.ts'
import { checkPlace, checkSurvivors, maskGraph } from '#core/masking/graph.ts'
import { checkKeyRecord } from '#core/masking/key-record.ts'
import { awaitedReleases, type Disproof, isDisproved, rebuildSeeds } from '#core/masking/rebuild.ts'
import { checkRelease, type Release } from '#core/masking/release.ts'
import { Seeded } from '#core/model/seeded.ts'
import { areDisproofs, decodeDisproofs, encodeDisproofs } from '#wire/masking/disproofs.ts'
import {
  digestOf,
  indexDigest,
  type Keyed,
  keyIn,
  type Member,
  makeParty,
  maskOf,
  openFrom,
  type Party,
  plainSum,
  releasesOf,
  sitesFrom,
  termsOf,
  unmaskInput,
  unmaskWith,
} from '../../support/masked-party.ts'

// given a masked round of seven sites (five shares rebuild a secret)
// ├── when an offer has a used key, a point of small order or no ML-KEM key: one error each, naming its site
// ├── when a deal is of another round, or any part of it was changed: it does not open, and its dealer is named
// ├── when a site says to the chain, or to one other, something else than it dealt: it is named
// ├── when a release is late, of another round or set, or of wrong shape: one error each, naming its sender
// ├── when releases hold wrong shares: the sum is right all the same while t shares are good, and exactly those senders are named
// ├── when a dealer gave out shares of another secret, or hid a wrong pair secret: the dealer is named; a neighbour that tells the right one saves the sum
// └── when too few sites are left, or share too few masks: said before anything is shown

const N = 7
const sites = sitesFrom(N)
const [first, second, third, last] = [siteId(0), siteId(1), siteId(2), siteId(6)]
const flip = (bytes: Uint8Array, at = 0): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
const named = (code: string, site: SiteId) => (error: { code?: string; details?: { site?: unknown } }) => error.code === code && error.details?.site === site

describe('faults in a masked round', () => {
  let party: Party
  let keyed: Keyed
  const member = (site: SiteId): Member => party.members.get(site)!
  before(async () => {
    party = await makeParty(sites, new Seeded(12))
    keyed = keyIn(party, { keyed: sites, isLost: () => false })
  })

  it('in an offer name the site', () => {
    const { offer } = member(second)
    const check = (changed: Partial<typeof offer>, seen: readonly string[] = []) =>
      checkAdvertisement({ ...offer, ...changed }, second, new Set(seen), member(first).keys, nodeMasking)
    check({})
    for (const name of keyNames(offer)) assert.throws(() => check({}, [name]), named('ROTA-2324', second))
    assert.throws(() => check({ channelKey: offer.maskKey }), named('ROTA-2324', second))
    assert.throws(() => check({ maskKey: new Uint8Array(32) }), named('ROTA-2325', second))
    assert.throws(() => check({ channelKey: Uint8Array.of(1, ...new Uint8Array(31)) }), named('ROTA-2325', second))
    assert.throws(() => check({ channelKem: new Uint8Array(1184).fill(255) }), named('ROTA-2326', second))
    assert.throws(() => check({ channelKem: offer.channelKem.subarray(1) }), named('ROTA-2326', second))
  })

  it('in a deal name the dealer, whatever was changed', () => {
    const { deal, offer } = member(second)
    const parcel = deal.parcels.get(third)!
    const open = (index: Partial<Deal['index']>, changed: Partial<Parcel> = {}, theirs = offer) => {
      const now = { ...parcel, ...changed }
      const parcels = deal.index.parcels.map((known, i) => (i === third && Object.keys(changed).length > 0 ? digestOf(now) : known))
      openFrom(party.round, third, member(third).keys, theirs, { index: { ...deal.index, parcels, ...index }, parcels: new Map([[third, now]]) })
    }
    open({})
    assert.throws(() => open({ ctx: flip(party.round.ctx) }), named('ROTA-2323', second))
    assert.throws(() => open({ maskKey: flip(offer.maskKey) }), named('ROTA-2321', second))
    assert.throws(() => open({ parcels: deal.index.parcels.map((hash) => flip(hash)) }), named('ROTA-2321', second))
    assert.throws(() => open({ to: without(deal.index.to, third) }), named('ROTA-2321', second))
    assert.throws(() => open({ pairTags: deal.index.pairTags.map((tag) => flip(tag)) }), named('ROTA-2321', second))
    assert.throws(() => open({}, { kemText: parcel.kemText.subarray(1) }), named('ROTA-2326', second))
    for (const part of ['kemText', 'maskCommitment', 'selfCommitment', 'sealed'] as const)
      assert.throws(() => open({}, { [part]: flip(parcel[part], 5) }), named('ROTA-2321', second), part)
    assert.throws(() => open({}, {}, { ...offer, channelKey: member(first).offer.channelKey }), named('ROTA-2321', second))
    assert.throws(() => open({}, {}, { ...offer, channelKey: new Uint8Array(32) }), named('ROTA-2325', second))
  })

  it('in what a site keys with name it', () => {
    const record = keyed.records.get(second)!
    const held = without(bitmapOf(sites), second)
    const digestHere = indexDigest(member(second).deal)
    checkKeyRecord(record, party.round, second, held, digestHere)
    assert.throws(() => checkKeyRecord({ ...record, ctx: flip(record.ctx) }, party.round, second, held, digestHere), named('ROTA-2323', second))
    assert.throws(() => checkKeyRecord(record, party.round, third, held, digestHere), named('ROTA-2323', third))
    assert.throws(() => checkKeyRecord(record, party.round, second, without(held, first), digestHere), named('ROTA-2321', second))
    assert.throws(() => checkKeyRecord(record, party.round, second, held, flip(digestHere)), named('ROTA-2321', second))
  })

  it('in a release name its sender', () => {
    const survivors = without(bitmapOf(sites), last)
    const release = releasesOf(keyed, survivors, [first]).get(first)!
    const check = (changed: Partial<Release>, isUnmasked = false) =>
      checkRelease({ ...release, ...changed }, party.round, keyed.graph, survivors, first, isUnmasked)
    check({})
    assert.throws(() => check({}, true), named('ROTA-2322', first))
    assert.throws(() => check({ ctx: flip(release.ctx) }), named('ROTA-2323', first))
    assert.throws(() => check({ survivors: bitmapOf(sites) }), named('ROTA-2323', first))
    assert.throws(() => check({ about: bitmapOf([...sites, siteId(9)]), shares: [...release.shares, release.shares[0]!] }), named('ROTA-2321', first))
    assert.throws(() => check({ shares: release.shares.slice(1) }), named('ROTA-2321', first))
    assert.throws(() => check({ shares: release.shares.map((share) => share.subarray(1)) }), named('ROTA-2321', first))
    assert.throws(() => check({ pairs: bitmapOf([second]) }), named('ROTA-2321', first))
    assert.throws(() => checkRelease(release, party.round, keyed.graph, survivors, last), named('ROTA-2321', last))
  })

  it('in shares are found by their commitments: the sum is right and the senders are named', async () => {
    const random = new Seeded(3)
    const survivors = sites.filter((site) => site !== last)
    const frozen = bitmapOf(survivors)
    const plain = new Map(survivors.map((site) => [site, random.bytes(400)]))
    const masked = new Map([...plain].map(([site, bytes]) => [site, maskOf(keyed, site, bytes, 32)]))
    const right = toHex(plainSum([...plain.values()], 32).bytes)
    const releases = releasesOf(keyed, frozen, survivors)
    for (const at of [0, 32])
      for (const liar of survivors) {
        const lie = { ...releases.get(liar)!, shares: releases.get(liar)!.shares.map((share) => flip(share, at)) }
        const input = unmaskInput(keyed, frozen, new Map([...releases, [liar, lie]]))
        const { sum, wrong } = await unmaskWith(keyed, input, masked, 32)
        assert.equal(toHex(sum), right)
        // The last of six is not looked at: the first five are good.
        assert.equal(wrong, liar === survivors.at(-1) ? 0n : bitmapOf([liar]))
      }
    const lies = new Map([first, second].map((site) => [site, { ...releases.get(site)!, shares: releases.get(site)!.shares.map((share) => flip(share)) }]))
    const two = unmaskInput(keyed, frozen, new Map([...releases, ...lies]))
    await assert.rejects(
      rebuildSeeds(two),
      (error: { code?: string; details?: { wrong?: unknown } }) => error.code === 'ROTA-2329' && error.details?.wrong === '0, 1',
    )
    // Without the parcels nobody is blamed.
    const blind = { ...two, fetchParcel: async () => undefined }
    await assert.rejects(
      rebuildSeeds(blind),
      (error: { code?: string; details?: { wrong?: unknown } }) => error.code === 'ROTA-2329' && error.details?.wrong === 'none',
    )
    assert.equal(awaitedReleases({ ...two, releases: new Map([...releases].slice(0, 3)) }), bitmapOf(sites.slice(3)))
    assert.equal(awaitedReleases({ ...two, releases: new Map([...releases].slice(0, 5)) }), 0n)
  })

  it('of a dealer that shared another secret, or hid a wrong one, name the dealer', async () => {
    const survivors = sites.filter((site) => site !== last)
    const frozen = bitmapOf(survivors)
    const plain = new Map(survivors.map((site) => [site, new Uint8Array(64)]))
    const masked = new Map([...plain].map(([site, bytes]) => [site, maskOf(keyed, site, bytes, 32)]))
    const input = unmaskInput(keyed, frozen, releasesOf(keyed, frozen, survivors))
    const release = { run: runId(1), round: roundNo(1), release: input.releases.get(first)! }
    for (const [site, part] of [
      [second, 'selfCommitment'],
      [last, 'maskKey'],
    ] as const) {
      const index = { ...input.indexes.get(site)!, [part]: part === 'maskKey' ? member(first).offer.maskKey : new Uint8Array(32) }
      const lied = { ...input, indexes: new Map([...input.indexes, [site, index]]) }
      const { disproofs, seeds } = await rebuildSeeds(lied)
      assert.deepEqual([disproofs.map(({ dealer }) => dealer), seeds.has(site)], [[site], false])
      // Whoever has it needs nobody's shares to see that it is so; of an honest dealer there is none.
      const [found] = disproofs as [Disproof]
      const alone = { ...lied, releases: new Map() }
      assert.equal(await isDisproved(alone, found), true)
      assert.equal(await isDisproved({ ...input, releases: new Map() }, found), false)
      const shares = found.shares.map(({ holder, share }) => ({ holder, share: flip(share) }))
      assert.equal(await isDisproved(alone, { dealer: site, shares }), false)
      assert.equal(await isDisproved(alone, { dealer: site, shares: found.shares.slice(1) }), false)
      assert.equal(await isDisproved(alone, { dealer: site, shares: [...found.shares.slice(1), found.shares[1]!] }), false)
      assert.equal(await isDisproved({ ...alone, fetchParcel: async () => undefined }, found), false)
      const bytes = encodeDisproofs({ site: first, proof: new Uint8Array(32), survivors: frozen, disproofs, release })
      assert.deepEqual(decodeDisproofs(bytes).disproofs, disproofs)
      assert.deepEqual([areDisproofs(bytes), encodeDisproofs(decodeDisproofs(bytes))], [true, bytes])
    }
    // The site that dropped out hid noise; its neighbours tell the right secrets, and when one of them does not, it is named.
    const record = keyed.records.get(last)!
    const lying = { ...keyed, records: new Map([...keyed.records, [last, { ...record, pads: record.pads.map((pad) => flip(pad)) }]]) }
    assert.deepEqual((await unmaskWith(lying, input, masked, 32)).sum, new Uint8Array(64))
    const silent = new Map([...input.releases].filter(([site]) => site !== third))
    await assert.rejects(unmaskWith(lying, { ...input, releases: silent }, masked, 32), named('ROTA-2321', last))
    assert.deepEqual((await unmaskWith(keyed, { ...input, releases: silent }, masked, 32)).sum, new Uint8Array(64))
  })

  it('of numbers are told before anything is shown', async () => {
    assert.throws(() => checkSurvivors(keyed.graph, party.round, bitmapOf(sites.slice(0, 4))), { code: 'ROTA-2327' })
    checkSurvivors(keyed.graph, party.round, bitmapOf(sites.slice(0, 5)))
    const starved = keyed.events.map(({ site, holds }) => ({ site, holds: site > 2 ? without(holds, first) : holds }))
    const graph = maskGraph(party.round, starved)
    assert.equal(graph.sites, without(bitmapOf(sites), first))
    assert.throws(
      () => checkPlace(graph, party.round, first, starved),
      (error: { code?: string; details?: { neighbours?: unknown } }) => {
        return error.code === 'ROTA-2328' && error.details?.neighbours === 2
      },
    )
    checkPlace(graph, party.round, second, starved)
    assert.throws(() => checkSurvivors(graph, party.round, bitmapOf(sites.slice(0, 6))), named('ROTA-2328', first))
    const { keys } = member(first)
    const offers = new Map(sites.slice(1, 4).map((site) => [site, member(site).offer]))
    await assert.rejects(makeDeal({ round: party.round, site: first, keys, offers, parcelDigest: digestOf, crypto: nodeMasking }), named('ROTA-2328', first))
  })
})

describe('the context of a masked round', () => {
  it('is another one when any of its terms is', () => {
    const terms = termsOf(bitmapOf(sites))
    const other = digest(`0x${'ab'.repeat(32)}`)
    const changed = [
      { chainId: 1n },
      { genesis: other },
      { coordinator: `0x${'23'.repeat(20)}` as typeof terms.coordinator },
      { study: 2 as typeof terms.study },
      { run: 4 as typeof terms.run },
      { round: 8 as typeof terms.round },
      { epoch: 1 },
      { protocol: other },
      { members: without(terms.members, first) },
    ]
    const all = [{}, ...changed].map((change) => maskingRound({ ...terms, ...change }, nodeMasking.sha256))
    assert.equal(new Set(all.map(({ ctx }) => toHex(ctx))).size, changed.length + 1)
    assert.equal(new Set(all.map(({ modelCtx }) => toHex(modelCtx))).size, changed.length + 1)
    const onOther = maskingRound({ ...terms, baseRoot: other }, nodeMasking.sha256)
    assert.deepEqual(onOther.ctx, all[0]!.ctx)
    assert.notDeepEqual(onOther.modelCtx, all[0]!.modelCtx)
    // Of the same bytes put together in Python with hashlib.
    assert.equal(toHex(all[0]!.ctx), '0xddfe10a332300100e84eeb1387d536bc90a7769edc335b8433252d772364ac56')
    assert.equal(toHex(all[0]!.modelCtx), '0xff5c17b6b5de391ee016bd91dc06b4b1d14307a40d5a3d64301225487ea6a7a5')
  })
})
