import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { bitmapOf, without, withSite } from '#base/bitmap.ts'
import { toHex } from '#base/bytes.ts'
import { digest, roundNo, runId, type SiteId, siteId } from '#base/ids.ts'
import { checkAdvertisement, keyNames } from '#core/masking/advertisement.ts'
import { maskingRound } from '#core/masking/context.ts'
import { type Deal, makeDeal, type Parcel } from '#core/masking/deal.ts'
import { checkPlace, checkSurvivors, type MaskGraph, maskGraph } from '#core/masking/graph.ts'
import { nameOfDeal } from '#core/masking/held-deals.ts'
import { awaitedReleases, type Disproof, isDisproved, rebuildSeeds, type UnmaskInput } from '#core/masking/rebuild.ts'
import { checkRelease, type Release, shareAbout } from '#core/masking/release.ts'
import { Seeded } from '#core/model/seeded.ts'
import { areDisproofs, decodeDisproofs, encodeDisproofs } from '#wire/masking/disproofs.ts'
import {
  cutShort,
  dealBy,
  digestOf,
  givesOtherPairs,
  hidingOther,
  holding,
  type Keyed,
  keyedAs,
  keyedWith,
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
  withDeal,
} from '../../support/masked-party.ts'

// given a masked round of seven sites (five shares rebuild a secret)
// ├── when an offer has a used key, a point of small order or no ML-KEM key: one error each, naming its site
// ├── when a deal is of another round, or any part of it was changed: it does not open, and its dealer is named
// ├── when a release is late, of another round or set, or of wrong shape: one error each, naming its sender
// ├── when releases hold wrong shares: the sum is right all the same while t shares are good, and exactly those senders are named
// ├── when a site is silent: the masks of its pairs come off all the same
// ├── when a dealer gave out shares of another seed, or of one that does not make the secrets that it gave: it is named, and what names it is believed by whoever has
// │   the deals, and by nobody of an honest one
// ├── when a site hid a false secret of a pair on the chain, or none, and dropped out: the same, whoever is silent; of a pair whose mask is not in the sum it is all one
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
      openFrom(party.round, third, member(third).keys, theirs, { ...deal, index: { ...deal.index, parcels, ...index }, parcels: new Map([[third, now]]) })
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
    // Whoever lost a deal has no share of what is its dealer's.
    const lost = { about: without(release.about, second), shares: release.shares.toSpliced(second, 1) }
    check(lost)
    assert.deepEqual(
      [second, third].map((site) => shareAbout({ ...release, ...lost }, site)),
      [undefined, release.shares[third]],
    )
    assert.throws(() => check({ ...lost, shares: release.shares }), named('ROTA-2321', first))
    // About whom follows from the graph: in another, in which it holds nothing of the third, it may not tell of it.
    const other: MaskGraph = { ...keyed.graph, holders: (site) => (site === third ? without(keyed.graph.holders(site), first) : keyed.graph.holders(site)) }
    assert.throws(() => checkRelease(release, party.round, other, survivors, first), named('ROTA-2321', first))
    assert.throws(() => checkRelease(release, party.round, keyed.graph, survivors, siteId(9)), named('ROTA-2321', siteId(9)))
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
        const { sum, wrong } = await unmaskWith(unmaskInput(keyed, frozen, new Map([...releases, [liar, lie]])), masked, 32)
        assert.equal(toHex(sum), right)
        // The last of six is not looked at: the first five are good.
        assert.equal(wrong, liar === survivors.at(-1) ? 0n : bitmapOf([liar]))
      }
    // About one site alone, and about itself.
    for (const about of [second, last]) {
      const ofOne = { ...releases.get(second)!, shares: releases.get(second)!.shares.with(about, flip(releases.get(second)!.shares[about]!)) }
      assert.equal((await unmaskWith(unmaskInput(keyed, frozen, new Map([...releases, [second, ofOne]])), masked, 32)).wrong, bitmapOf([second]))
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

  it('by silence stop nothing: the masks of a pair come off without the word of either', async () => {
    const survivors = sites.filter((site) => site !== last)
    const masked = new Map(survivors.map((site) => [site, maskOf(keyed, site, new Uint8Array(64), 32)]))
    for (const silent of survivors) {
      const answering = survivors.filter((site) => site !== silent)
      const input = unmaskInput(keyed, bitmapOf(survivors), releasesOf(keyed, bitmapOf(survivors), answering))
      assert.deepEqual(await unmaskWith(input, masked, 32), { sum: new Uint8Array(64), wrong: 0n })
    }
  })

  it('of a dealer that shared another seed than it committed to name the dealer', async () => {
    const survivors = sites.filter((site) => site !== last)
    const frozen = bitmapOf(survivors)
    const input = unmaskInput(keyed, frozen, releasesOf(keyed, frozen, survivors))
    const release = { run: runId(1), round: roundNo(1), release: input.releases.get(first)! }
    for (const [site, part] of [
      [second, 'selfCommitment'],
      [last, 'maskKey'],
    ] as const) {
      const index = { ...input.indexes.get(site)!, [part]: part === 'maskKey' ? member(first).offer.maskKey : new Uint8Array(32) }
      const lied = { ...input, indexes: new Map([...input.indexes, [site, index]]) }
      const { disproofs, seeds } = await rebuildSeeds(lied)
      assert.deepEqual([disproofs.map(({ dealer, shares }) => [dealer, shares.length]), seeds.has(site)], [[[site, 5]], false])
      // Whoever has it needs nobody's shares to see that it is so; of an honest dealer there is none.
      const [found] = disproofs as [Disproof]
      const alone = { ...lied, releases: new Map() }
      assert.equal(await isDisproved(alone, found), true)
      assert.equal(await isDisproved({ ...input, releases: new Map() }, found), false)
      const shares = found.shares.map(({ holder, share }) => ({ holder, share: flip(share) }))
      assert.equal(await isDisproved(alone, { ...found, shares }), false)
      assert.equal(await isDisproved(alone, { ...found, shares: found.shares.slice(1) }), false)
      assert.equal(await isDisproved(alone, { ...found, shares: [...found.shares.slice(1), found.shares[1]!] }), false)
      assert.equal(await isDisproved({ ...alone, fetchParcel: async () => undefined }, found), false)
      const bytes = encodeDisproofs({ site: first, proof: new Uint8Array(32), survivors: frozen, disproofs, release })
      assert.deepEqual(decodeDisproofs(bytes).disproofs, disproofs)
      assert.deepEqual([areDisproofs(bytes), encodeDisproofs(decodeDisproofs(bytes))], [true, bytes])
    }
  })

  /** A round in which some of those who keyed dropped out. */
  function played(state: Keyed, dropped: readonly SiteId[], silent: readonly SiteId[] = []) {
    const survivors = sites.filter((site) => !dropped.includes(site))
    const frozen = bitmapOf(survivors)
    assert.equal(state.graph.sites, bitmapOf(sites))
    const masked = new Map(survivors.map((site) => [site, maskOf(state, site, new Uint8Array(64), 32)]))
    const releases = releasesOf(
      state,
      frozen,
      survivors.filter((site) => !silent.includes(site)),
    )
    return { input: unmaskInput(state, frozen, releases), masked }
  }
  const lossless = (dealt: Party): Keyed => keyIn(dealt, { keyed: sites, isLost: () => false })
  const NOTHING_LEFT = { sum: new Uint8Array(64), wrong: 0n }
  const unmasks = async ({ input, masked }: ReturnType<typeof played>) => assert.deepEqual(await unmaskWith(input, masked, 32), NOTHING_LEFT)

  it('of a site that hid a false secret of a pair, or too little of it, name the site, whoever is silent', async () => {
    // The last hid six secrets, each after a name; the last of them is of its pair with the sixth.
    const sixth = siteId(5)
    for (const [state, lower] of [
      ...sites.slice(0, -1).map((each) => [hidingOther(keyed, last, [each]), each] as const),
      ...[1, 31, 32].map((bytes) => [cutShort(keyed, last, bytes), sixth] as const),
    ]) {
      const { input } = played(state, [last], [lower])
      const { disproofs, wrong, seeds } = await rebuildSeeds(input)
      assert.deepEqual([disproofs.map(({ dealer, shares }) => [dealer, shares.length]), wrong, seeds.has(last)], [[[last, 5]], 0n, false])
      const alone = { ...input, releases: new Map() }
      assert.equal(await isDisproved(alone, disproofs[0]!), true)
      // Of one that hid the right ones the same shares disprove nothing.
      assert.equal(await isDisproved({ ...alone, keyed: unmaskInput(keyed, input.survivors, new Map()).keyed }, disproofs[0]!), false)
    }
  })

  it('of a false hidden secret are believed with bound shares of the site alone', async () => {
    const state = hidingOther(keyed, last, [third])
    const { input } = played(state, [last], [third])
    const [found] = (await rebuildSeeds(input)).disproofs as [Disproof]
    const alone = { ...input, releases: new Map() }
    const believed = (disproof: Disproof, on: UnmaskInput = alone) => isDisproved(on, disproof)
    const sharesOf = (dealer: SiteId, kind: 'mask' | 'self', holders: readonly SiteId[]) =>
      holders.map((holder) => ({ holder, share: member(holder).opened.get(dealer)!.shares[kind] }))
    // Any five of its holders' shares do, its own among them.
    for (const holders of [sites.slice(0, 5), sites.slice(2)]) assert.equal(await believed({ ...found, shares: sharesOf(last, 'mask', holders) }), true)
    assert.equal(await believed({ ...found, shares: sharesOf(last, 'self', sites.slice(0, 5)) }), false)
    for (const dealer of [second, third]) assert.equal(await believed({ dealer, shares: sharesOf(dealer, 'self', sites.slice(0, 5)) }), false)
    assert.equal(await believed({ ...found, dealer: third }), false)
    assert.equal(await believed({ ...found, shares: found.shares.slice(1) }), false)
    assert.equal(await believed({ ...found, shares: [...found.shares, ...sharesOf(last, 'mask', [last])] }), false)
    assert.equal(await believed({ ...found, shares: [...found.shares.slice(1), found.shares[1]!] }), false)
    for (const at of [0, 32])
      assert.equal(await believed({ ...found, shares: found.shares.with(2, { ...found.shares[2]!, share: flip(found.shares[2]!.share, at) }) }), false)
    assert.equal(await believed({ ...found, shares: found.shares.with(0, { ...found.shares[0]!, holder: siteId(9) }) }), false)
    assert.equal(await believed(found, { ...alone, fetchParcel: async () => undefined }), false)
    assert.equal(await believed(found, { ...alone, survivors: bitmapOf(sites) }), false)
    // What is found stands though shares of another are lacking.
    const short = new Map(
      [...input.releases].map(([site, release]) => [
        site,
        site === first || site === second ? { ...release, about: without(release.about, siteId(4)), shares: release.shares.toSpliced(4, 1) } : release,
      ]),
    )
    const both = await rebuildSeeds({ ...input, releases: short })
    assert.deepEqual(both.disproofs, [found])
    await assert.rejects(rebuildSeeds({ ...unmaskInput(keyed, input.survivors, short) }), named('ROTA-2329', siteId(4)))
  })

  it('of a false hidden secret name nobody where the mask of the pair is not in the sum', async () => {
    const state = hidingOther(keyed, last, [third])
    const shares = sites.slice(0, 5).map((holder) => ({ holder, share: member(holder).opened.get(last)!.shares.mask }))
    const stands = async (of: ReturnType<typeof played>) => {
      await unmasks(of)
      assert.equal(await isDisproved({ ...of.input, releases: new Map() }, { dealer: last, shares }), false)
    }
    // Both are in the set, or neither, or the upper alone.
    await stands(played(state, []))
    await stands(played(state, [third, last]))
    await stands(played(state, [third]))
    // The lower says that it holds no deal of the upper: they share no mask.
    const said = state.events.map((each) => (each.site === third ? holding(each, (held) => held, without(each.holds, last)) : each))
    const apart = keyedWith(party, said)
    assert.equal(apart.graph.neighbours(last), bitmapOf(sites.filter((site) => site !== third && site !== last)))
    await stands(played(apart, [last]))
  })

  it('of a site that names a deal in which nothing was for it name that site, and not the dealer', async () => {
    const dealt = withDeal(party, second, await dealBy(party, second, { to: sites.slice(0, -1) }))
    const honest = lossless(dealt)
    assert.equal(honest.graph.neighbours(last), bitmapOf(sites.filter((site) => site !== second && site !== last)))
    await unmasks(played(honest, [last]))
    const told = honest.events.find(({ site }) => site === second)!
    const name = { name: nameOfDeal(told, nodeMasking.sha256), hidden: '77'.repeat(32) }
    const events = honest.events.map((said) =>
      said.site === last ? holding(said, (held, dealer) => (dealer === second ? name : held), withSite(said.holds, second)) : said,
    )
    const state = keyedWith(dealt, events)
    assert.ok(state.graph.neighbours(last) === without(bitmapOf(sites), last))
    const { input } = played(state, [last])
    const { disproofs, wrong } = await rebuildSeeds(input)
    assert.deepEqual([disproofs.map(({ dealer }) => dealer), wrong], [[last], 0n])
    assert.equal(await isDisproved({ ...input, releases: new Map() }, disproofs[0]!), true)
  })

  it('of a dealer that gave other secrets than its seed makes name it when it drops out, and change nothing when another does', async () => {
    const crypto = givesOtherPairs(second)
    const state = lossless(withDeal(party, second, await dealBy(party, second, { crypto }), crypto))
    await unmasks(played(state, [last]))
    await unmasks(played(state, [first]))
    const { input } = played(state, [second])
    const { disproofs } = await rebuildSeeds(input)
    assert.deepEqual(
      disproofs.map(({ dealer, shares }) => [dealer, shares.length]),
      [[second, 5]],
    )
    assert.equal(await isDisproved({ ...input, releases: new Map() }, disproofs[0]!), true)
    assert.equal(await isDisproved(unmaskInput(keyed, input.survivors, new Map()), disproofs[0]!), false)
  })

  it('of numbers are told before anything is shown', async () => {
    assert.throws(() => checkSurvivors(keyed.graph, party.round, bitmapOf(sites.slice(0, 4))), { code: 'ROTA-2327' })
    checkSurvivors(keyed.graph, party.round, bitmapOf(sites.slice(0, 5)))
    const { sha256 } = nodeMasking
    const starved = keyedAs(keyed.events.map(({ site, holds }) => ({ site, holds: site > 2 ? without(holds, first) : holds })))
    const graph = maskGraph(party.round, starved, sha256)
    assert.equal(graph.sites, without(bitmapOf(sites), first))
    assert.throws(
      () => checkPlace(graph, party.round, first, starved, sha256),
      (error: { code?: string; details?: { neighbours?: unknown } }) => {
        return error.code === 'ROTA-2328' && error.details?.neighbours === 2
      },
    )
    checkPlace(graph, party.round, second, starved, sha256)
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
    assert.equal(toHex(all[0]!.ctx), '0xc6a814bb9fdd0dea2849481a8306c0a20c54fa0cbb2a123a40ef217f1abe4012')
    assert.equal(toHex(all[0]!.modelCtx), '0xe36caf280d8e578d9d27d4a763028b62fb5a0964284c3f63770c3f2e0eefe32e')
  })
})
