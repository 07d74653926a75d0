import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import { FaultList } from '#audit/fault-list.ts'
import { readJustifications } from '#audit/masks/justifications.ts'
import { linksOf, maskRoundOf } from '#audit/masks/mask-round.ts'
import { bitmapOf, sitesOf, without, withSite } from '#base/bitmap.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { type Bitmap, roundNo, runId, type SiteId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { maskingRound } from '#core/masking/context.ts'
import { makeDeal } from '#core/masking/deal.ts'
import { mostShown } from '#core/masking/graph.ts'
import type { KeyedSite } from '#core/masking/held-deals.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { Seeded } from '#core/model/seeded.ts'
import { toCbor } from '#wire/cbor.ts'
import { type DealFile, encodeDealFile } from '#wire/masking/deal-file.ts'
import { decodeJustification, encodeJustification, hexOf, justifiedIn, readJustification, type ShownShare } from '#wire/masking/justification.ts'
import { encodeParcel, PARCEL_LIMIT_BYTES } from '#wire/masking/parcel.ts'
import { plainRoot } from '#wire/plain-root.ts'
import {
  dealBy,
  digestOf,
  fileOf,
  holding,
  type Keyed,
  keyedWith,
  keyIn,
  type Member,
  makeParty,
  type Party,
  sitesFrom,
  termsOf,
  toldIn,
} from '../../support/masked-party.ts'

// given what a dealer shows to all for those who do not hold its deal
// ├── it comes back as it was, and is refused with one error when it is malformed or too long; a third of a hundred sites fits
// ├── it holds where it is the deal that its site keyed with, of this round and these members, and each share is the one to which that is bound
// ├── else it counts as nothing, and nodes and auditor say so of the same ones
// └── of a dealer that shows none for one who complains, or keyed with nothing, nothing follows

const N = 7
const sites = sitesFrom(N)
const [first, second, third, dealer] = [0, 1, 2, 4].map(siteId) as [SiteId, SiteId, SiteId, SiteId]
const flip = (bytes: Uint8Array, at = 0): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
const rootOf = (file: Uint8Array) => outlineOf(file, nodeMasking.sha256).root
const NOTHING: Uint8Array = new Uint8Array(0)

describe('a justification', () => {
  let party: Party
  let keyed: Keyed
  before(async () => {
    party = await makeParty(sites, new Seeded(41))
    keyed = keyIn(party, { keyed: sites, isLost: (from, holder) => from === dealer && (holder === first || holder === third) })
  })
  const member = (site: SiteId): Member => party.members.get(site)!
  const saidBy = (site: SiteId, events = keyed.events): KeyedSite => events.find((each) => each.site === site)!
  const shareFor = (holder: SiteId, of = member(dealer), parcel = NOTHING): ShownShare => ({ holder, parcel, ...of.deal.shares.get(holder)! })

  /** The same deal where each parcel is an object of its own, as among many. */
  const apart = (of = member(dealer)): Uint8Array => {
    const parcels = [...of.deal.parcels.values()].map((parcel) => plainRoot(encodeParcel(parcel), nodeMasking.sha256))
    return encodeDealFile({ index: { ...of.deal.index, parcels }, channelKey: of.offer.channelKey, parcels: [] })
  }
  const parcelFor = (holder: SiteId): Uint8Array => encodeParcel(member(dealer).deal.parcels.get(holder)!)

  /** What nodes and auditor read, which is the same; of whom there are shares. */
  function read(justification: string, said = saidBy(dealer)): SiteId[] | null {
    const events = keyed.events.map((each) => (each.site === said.site ? said : each))
    const found = readJustification(justification, party.round, said, nodeMasking)
    const faults = new FaultList(runId(3), roundNo(7))
    const audited = readJustifications(toldIn({ events, said: [{ site: said.site, justification }] }), maskRoundOf(termsOf(party.round.members)), faults)
    const plain = found && new Map([...found.shares].map(([holder, { mask, self }]) => [holder, { mask, self }]))
    assert.deepEqual(audited.get(said.site) ?? null, plain)
    assert.deepEqual([faults.list, faults.notes.length], [[], found === null && justification !== '0x' ? 1 : 0])
    return found === null ? null : [...found.shares.keys()]
  }
  const readOf = (file: Uint8Array, shares: readonly ShownShare[]) => read(hexOf({ file, shares }), { ...saidBy(dealer), dealDigest: rootOf(file) })

  it('comes back as it was, at most as long as a third of a hundred sites takes', () => {
    const justification = { file: fileOf(member(dealer)), shares: [shareFor(first), shareFor(third, member(dealer), parcelFor(third))] }
    assert.deepEqual(decodeJustification(encodeJustification(justification)), justification)
    assert.equal(hexOf(justification), toHex(encodeJustification(justification)))
    const hundred = bitmapOf(sitesFrom(100))
    const most = mostShown(100, thresholdOf(100))
    const { index } = member(dealer).deal
    const large = { ...index, to: hundred, parcels: sitesFrom(100).map(() => index.parcels[0]!), pairTags: sitesFrom(95).map(() => index.pairTags[0]!) }
    const file = encodeDealFile({ index: large, channelKey: member(dealer).offer.channelKey, parcels: [] })
    const shares = sitesFrom(most).map((holder) => ({ ...shareFor(first), holder, parcel: new Uint8Array(PARCEL_LIMIT_BYTES) }))
    assert.equal(most, 33)
    assert.equal(decodeJustification(encodeJustification({ file, shares })).shares.length, most)
  })

  it('is refused with one error where it is malformed', () => {
    const { mask, self } = shareFor(first)
    const file = fileOf(member(dealer))
    const refuses = (items: unknown, code: string) => {
      assert.throws(() => decodeJustification(toCbor(items)), { code })
      assert.equal(read(toHex(toCbor(items))), null)
    }
    const share = (...parts: readonly unknown[]) => refuses([2, 'justification', file, [parts]], 'ROTA-4001')
    decodeJustification(toCbor([2, 'justification', file, [[0, NOTHING, mask, self]]]))
    for (const items of [
      [],
      'text',
      null,
      7,
      [2, 'deal', file, []],
      [2, 'justification', 'file', []],
      [2, 'justification', file, file],
      [2, 'justification', file],
      [2, 'justification', file, [], 0],
    ])
      refuses(items, 'ROTA-4001')
    for (const version of [1, 3, null]) refuses([version, 'justification', file, []], 'ROTA-4003')
    refuses([2, 'justification', new Uint8Array(400_000), []], 'ROTA-4002')
    for (const holder of [-1, 256, 1.5, '0', null]) share(holder, NOTHING, mask, self)
    for (const parcel of [null, 'parcel', []]) share(0, parcel, mask, self)
    for (const short of [mask.subarray(1), new Uint8Array(34), null]) {
      share(0, NOTHING, short, self)
      share(0, NOTHING, mask, short)
    }
    share(0, NOTHING, mask)
    refuses([2, 'justification', file, [null]], 'ROTA-4001')
    const whole = encodeJustification({ file, shares: [shareFor(first)] })
    for (const bytes of [whole.subarray(0, -1), Uint8Array.from([...whole, 0]), NOTHING, Uint8Array.of(0xff)]) {
      assert.throws(() => decodeJustification(bytes), { code: 'ROTA-4001' })
      assert.equal(read(toHex(bytes) === '0x' ? '0x00' : toHex(bytes)), null)
    }
    assert.equal(read('0x'), null)
  })

  it('holds of the shares that were dealt, be parcels in the deal or apart', () => {
    const file = fileOf(member(dealer))
    for (const holders of [[], [first], [third, first], sites]) {
      assert.deepEqual(read(hexOf({ file, shares: holders.map((holder) => shareFor(holder)) })), holders)
      assert.deepEqual(
        readOf(
          apart(),
          holders.map((holder) => shareFor(holder, member(dealer), parcelFor(holder))),
        ),
        holders,
      )
    }
    // What is in the deal counts, whatever stands beside it.
    assert.deepEqual(read(hexOf({ file, shares: [shareFor(first, member(dealer), parcelFor(second))] })), [first])
    assert.deepEqual(
      decodeJustification(fromHex(keyed.said[0]!.justification)).shares.map(({ holder }) => holder),
      [first, third],
    )
    assert.deepEqual([keyed.said.length, read(keyed.said[0]!.justification)], [1, [first, third]])
  })

  it('is nothing where one share is not the one that its holder was dealt', () => {
    const [good, right] = [shareFor(third), shareFor(first)]
    const { mask, self } = right
    for (const wrong of [
      ...[0, 1, 31, 32].flatMap((at) => [{ mask: flip(mask, at) }, { self: flip(self, at) }]),
      { mask: self, self: mask },
      { holder: second },
      { holder: siteId(9) },
      { holder: siteId(255) },
      { mask: shareFor(second).mask },
    ])
      for (const shares of [[{ ...right, ...wrong }], [good, { ...right, ...wrong }], [{ ...right, ...wrong }, good]]) {
        assert.equal(read(hexOf({ file: fileOf(member(dealer)), shares })), null)
        assert.equal(
          readOf(
            apart(),
            shares.map((each) => ({ ...each, parcel: party.members.has(each.holder) ? parcelFor(each.holder) : parcelFor(first) })),
          ),
          null,
        )
      }
    // One of a holder twice, of which the second is wrong.
    assert.equal(read(hexOf({ file: fileOf(member(dealer)), shares: [right, { ...right, self: flip(self) }] })), null)
  })

  it('names a parcel that lies apart as a real store does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rota-parcels-'))
    const store = await openOfflineStore(folder)
    try {
      for (const length of [1, 44, 127, 128, 1_217, 1_283, PARCEL_LIMIT_BYTES]) {
        const bytes = new Seeded(length).bytes(length)
        assert.equal(await store.putPlain(bytes, new AbortController().signal), toHex(plainRoot(bytes, nodeMasking.sha256)), `${length} bytes`)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('is nothing where a parcel is not the one of the deal', () => {
    for (const parcel of [
      NOTHING,
      parcelFor(second),
      flip(parcelFor(first), 1100),
      encodeParcel(member(second).deal.parcels.get(first)!),
      parcelFor(first).subarray(1),
    ])
      assert.equal(readOf(apart(), [shareFor(first, member(dealer), parcel)]), null)
    // Nor where the deal names what is no parcel.
    const { index } = member(dealer).deal
    const garbage = new Seeded(5).bytes(1_300)
    const file: DealFile = {
      index: {
        ...index,
        parcels: [...member(dealer).deal.parcels.values()]
          .map((parcel) => plainRoot(encodeParcel(parcel), nodeMasking.sha256))
          .with(first, plainRoot(garbage, nodeMasking.sha256)),
      },
      channelKey: member(dealer).offer.channelKey,
      parcels: [],
    }
    assert.equal(readOf(encodeDealFile(file), [shareFor(first, member(dealer), garbage)]), null)
    assert.deepEqual(readOf(encodeDealFile(file), [shareFor(third, member(dealer), parcelFor(third))]), [third])
  })

  it('is nothing where it is another deal than its site keyed with, of another round, of other members, or another site’s', async () => {
    const again = { ...member(dealer), deal: await dealBy(party, dealer, {}) }
    assert.equal(read(hexOf({ file: fileOf(again), shares: [shareFor(first, again)] })), null)
    assert.deepEqual(readOf(fileOf(again), [shareFor(first, again)]), [first])
    // Its shares are those of the one deal only.
    assert.equal(readOf(fileOf(again), [shareFor(first)]), null)
    assert.equal(read(hexOf({ file: fileOf(member(second)), shares: [shareFor(first, member(second))] })), null)
    assert.equal(readOf(fileOf(member(second)), [shareFor(first, member(second))]), null)
    for (const terms of [termsOf(party.round.members, 8), termsOf(without(party.round.members, siteId(6)))]) {
      const theirs = await makeParty(sitesOf(terms.members), new Seeded(41), terms)
      const other = theirs.members.get(dealer)!
      assert.equal(readOf(fileOf(other), [shareFor(first, other)]), null)
      // Bound to this round by its word alone.
      const index = { ...other.deal.index, ctx: party.round.ctx }
      assert.equal(readOf(fileOf({ ...other, deal: { ...other.deal, index } }), [shareFor(first, other)]), null)
    }
    // All that it binds is of this round, but it deals to fewer, or to one more.
    const offers = new Map([...party.members].map(([site, { offer }]) => [site, offer]))
    const dealt = (members: Bitmap) =>
      makeDeal({ round: { ...party.round, members }, site: dealer, keys: member(dealer).keys, offers, parcelDigest: digestOf, crypto: nodeMasking })
    for (const [members, holders] of [
      [without(party.round.members, siteId(6)), null],
      [withSite(party.round.members, siteId(9)), null],
      [party.round.members, [first]],
    ] as const) {
      const other = { ...member(dealer), deal: await dealt(members) }
      assert.deepEqual(readOf(fileOf(other), [shareFor(first, other)]), holders)
    }
    const file = fileOf(member(dealer))
    for (const bytes of [NOTHING, file.subarray(0, -1), Uint8Array.from([...file, 0]), flip(file, 40)]) {
      assert.equal(read(hexOf({ file: bytes, shares: [shareFor(first)] })), null)
      assert.equal(readOf(bytes, [shareFor(first)]), null)
    }
    assert.notDeepEqual(maskingRound(termsOf(party.round.members, 8), nodeMasking.sha256).ctx, party.round.ctx)
  })

  it('has its site out where a complainer is not among those shown, where it is silent, and where it keyed with nothing', () => {
    const placesWith = (said: Keyed['said'], events = keyed.events) => {
      const state = keyedWith(party, events, said)
      const faults = new FaultList(runId(3), roundNo(7))
      const round = maskRoundOf(termsOf(party.round.members))
      const { edges } = linksOf(round, events, readJustifications(toldIn(state), round, faults))
      assert.deepEqual(bitmapOf(edges.keys()), state.graph.sites)
      return state.graph.sites
    }
    const showing = (...holders: SiteId[]) => [
      { site: dealer, justification: hexOf({ file: fileOf(member(dealer)), shares: holders.map((holder) => shareFor(holder)) }) },
    ]
    const out = without(party.round.members, dealer)
    assert.equal(placesWith(showing(first, third)), party.round.members)
    assert.equal(placesWith(showing(first, second, third)), party.round.members)
    for (const said of [showing(first), showing(first, second), showing(), [], [{ site: dealer, justification: '0x' }]]) assert.equal(placesWith(said), out)
    assert.equal(placesWith([{ site: second, justification: showing(first, third)[0]!.justification }]), out)
    // Of a site that did not key nothing is read.
    const rest = keyed.events.filter(({ site }) => site !== dealer)
    assert.equal(placesWith(showing(first, third), rest), out)
    assert.equal(justifiedIn(party.round, rest, showing(first), nodeMasking).size, 0)
    // One who complains of all is out itself, and nobody else, where all others show its shares.
    const whole = keyIn(party, { keyed: sites, isLost: () => false })
    assert.deepEqual([whole.said, whole.graph.sites], [[], party.round.members])
    const complaining = whole.events.map((each) => (each.site === second ? holding(each, (held) => held, bitmapOf([])) : each))
    const state = keyedWith(party, complaining)
    assert.equal(state.said.length, N - 1)
    assert.equal(placesWith(state.said, complaining), without(party.round.members, second))
  })
})
