import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { sha256 } from '#app/sha256.ts'
import { equalBytes, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, type SiteId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { Seeded } from '#core/model/seeded.ts'
import { createDeals, type Opener } from '#round/masking/deals.ts'
import { decodeDealFile, encodeDealFile } from '#wire/masking/deal-file.ts'
import { encodeParcel } from '#wire/masking/parcel.ts'
import { makeParty, type Party, sitesFrom } from '../../support/masked-party.ts'

// given the deals of a round that a site was told, with parcels in the store
// ├── a sound one is opened
// ├── one with a byte changed anywhere is its dealer's fault or another round's, and never a fault of the site itself
// ├── one of other keys than its dealer offered is its dealer's fault
// ├── one that cannot be had yet, for whatever passes, is tried again
// ├── the first that opened counts, and is kept for the others under the name that the chain has to give it
// ├── what a site keyed with comes from those who hold it, is known by its root alone, and is none where it is another site's
// └── when the site's own disk or program fails, no dealer is refused: it is thrown by the next call, once, and tried again

const [me, dealer] = [siteId(0), siteId(1)]
const KEY = new Uint8Array(32)
const NAMED = { root: `0x${'aa'.repeat(32)}` as Digest, cid: `0x${'bb'.repeat(32)}` as Digest }

describe('deals that a site is told', () => {
  let party: Party
  let opener: Opener
  before(async () => {
    party = await makeParty(sitesFrom(5), new Seeded(3))
    opener = { terms: party.round, keys: party.members.get(me)!.keys, epochKey: KEY }
  })

  /** Bound to something else than this round: that says nothing about who dealt it. */
  function isOfAnother(file: Uint8Array): boolean {
    try {
      return !equalBytes(decodeDealFile(file).index.ctx, opener.terms.ctx)
    } catch {
      return false
    }
  }

  const dealt = () => {
    const { deal, offer } = party.members.get(dealer)!
    return { file: encodeDealFile({ index: deal.index, channelKey: offer.channelKey, parcels: [] }), parcel: encodeParcel(deal.parcels.get(me)!) }
  }

  /** Opens the dealer's deal with a store that gives what it is told to. @returns once nothing is under way */
  function opening(file: Uint8Array, given: { parcel: Uint8Array | (() => Uint8Array) }) {
    const warned: string[] = []
    const kept: { bytes: Uint8Array; kind: string; key: Uint8Array }[] = []
    let settled = Promise.withResolvers<void>()
    const store = {
      put: async (bytes: Uint8Array, { root }: { root: Digest }, kind: string, key: Uint8Array) => {
        kept.push({ bytes, kind, key })
        return { root, cid: toDigest(sha256(bytes)) }
      },
      getPlain: async () => (typeof given.parcel === 'function' ? given.parcel() : given.parcel),
    }
    const host = { clock: { sleep: () => setImmediate() }, log: { warn: (event: string) => void warned.push(event) } }
    const deals = createDeals({ id: me, masking: nodeMasking, sha256, store, host } as never, () => settled.resolve())
    const open = async (told = file): Promise<void> => {
      settled = Promise.withResolvers()
      deals.open(opener, dealer, party.members.get(dealer)!.offer, told)
      await settled.promise
    }
    return { deals, open, warned, kept }
  }

  it('are opened when they are sound, and tried again while they cannot be had', async () => {
    const { file, parcel } = dealt()
    let missing = 3
    const { deals, open, warned, kept } = opening(file, {
      parcel() {
        if (missing-- > 0) throw missing === 1 ? new RotaError('ROTA-4013', { dir: 'objects' }) : new RotaError('ROTA-4010', { cid: NAMED.cid })
        return parcel
      },
    })
    await open()
    assert.deepEqual([[...deals.opened.keys()], [...deals.files.keys()], deals.refused.size, missing, warned], [[dealer], [dealer], 0, -1, []])
    // Every holder has it for those who lack it, and knows what the chain has to name it.
    assert.deepEqual(kept, [{ bytes: file, kind: 'masking', key: KEY }])
    assert.deepEqual(deals.files.get(dealer)?.named, { root: outlineOf(file, sha256).root, cid: toDigest(sha256(file)) })
  })

  it('are their dealer’s fault, whichever byte is changed', async () => {
    const { file, parcel } = dealt()
    const random = new Seeded(4)
    const altered = (bytes: Uint8Array): Uint8Array => {
      const at = Math.floor(random.uniform() * bytes.length)
      return bytes.map((byte, i) => (i === at ? byte ^ (1 + Math.floor(random.uniform() * 255)) : byte))
    }
    for (let i = 0; i < 200; i++) {
      // A store gives no parcel with other bytes than its name says: the dealer named these.
      const own = i % 2 === 0 ? altered(parcel) : parcel
      const { deal, offer } = party.members.get(dealer)!
      const parcels = deal.index.parcels.map((named, holder) => (holder === me ? sha256(own) : named))
      const told = i % 2 === 0 ? encodeDealFile({ index: { ...deal.index, parcels }, channelKey: offer.channelKey, parcels: [] }) : altered(file)
      const { deals, open, warned } = opening(told, { parcel: () => own })
      await open()
      // What is said to others alone shows nothing here.
      if (deals.opened.has(dealer)) continue
      assert.deepEqual([[...deals.refused], warned], [isOfAnother(told) ? [] : [dealer], ['masking.refused']])
      deals.open(opener, dealer, offer, told)
    }
  })

  it('are their dealer’s fault when they are of other keys than it offered', async () => {
    const { deal, offer } = party.members.get(dealer)!
    const { maskKey } = party.members.get(siteId(2))!.offer
    const index = { ...deal.index, maskKey }
    const { deals, open, warned } = opening(encodeDealFile({ index, channelKey: offer.channelKey, parcels: [] }), dealt())
    await open()
    assert.deepEqual([[...deals.refused], deals.opened.size, warned], [[dealer], 0, ['masking.refused']])
  })

  it('are nobody’s fault when the site’s own disk or program fails', async () => {
    const { file, parcel } = dealt()
    for (const fault of [Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }), new TypeError('not a function')]) {
      let failing = true
      const { deals, open, warned } = opening(file, {
        parcel() {
          if (failing) throw fault
          return parcel
        },
      })
      await open()
      assert.deepEqual([deals.refused.size, deals.opened.size, warned], [0, 0, []])
      assert.throws(() => deals.open(opener, dealer, party.members.get(dealer)!.offer, file), fault)
      failing = false
      await open()
      assert.ok(deals.opened.has(dealer))
    }
  })

  it('are the first that opened: whoever deals again later, with other shares, changes nothing', async () => {
    const { file, parcel } = dealt()
    const { deals, open } = opening(file, { parcel })
    await open()
    const [opened, held] = [deals.opened.get(dealer), deals.files.get(dealer)]
    const { deal, offer } = party.members.get(dealer)!
    await open(encodeDealFile({ index: deal.index, channelKey: offer.channelKey, parcels: [...deal.parcels.values()].map(encodeParcel) }))
    assert.equal(deals.opened.get(dealer), opened)
    assert.equal(deals.files.get(dealer), held)
  })

  it('throw the fault to who asks for a deal file, too', async () => {
    const { deals, open } = opening(dealt().file, { parcel: () => assert.fail('a bug') })
    await open()
    assert.throws(() => deals.fetchFile(KEY, dealer, NAMED, { told: [], holders: [] }), /a bug/)
  })
})

describe('the deal that a site keyed with', () => {
  let party: Party
  before(async () => {
    party = await makeParty(sitesFrom(5), new Seeded(6))
  })
  const fileOf = (site: SiteId): Uint8Array => {
    const { deal, offer } = party.members.get(site)!
    return encodeDealFile({ index: deal.index, channelKey: offer.channelKey, parcels: [] })
  }

  /** Asks for it of a store that gives what it is told to. */
  async function fetching(give: () => Uint8Array, named = NAMED) {
    const warned: string[] = []
    const settled = Promise.withResolvers<void>()
    const asked: unknown[] = []
    const store = {
      get: async (...args: unknown[]) => {
        asked.push(args[0], args[3])
        return give()
      },
    }
    const host = { clock: { sleep: () => setImmediate() }, log: { warn: (event: string) => void warned.push(event) } }
    const deals = createDeals({ id: me, masking: nodeMasking, sha256, store, host } as never, () => settled.resolve())
    deals.fetchFile(KEY, dealer, named, { told: [], holders: [siteId(3)] })
    await settled.promise
    return { deals, warned, asked }
  }

  it('is known by its root once a holder gave it, and not by another', async () => {
    let missing = 2
    const { deals, warned, asked } = await fetching(() => {
      if (missing-- > 0) throw new RotaError('ROTA-4010', { cid: NAMED.cid })
      return fileOf(dealer)
    })
    assert.deepEqual(deals.fileOf(dealer, NAMED.root)?.index, party.members.get(dealer)!.deal.index)
    assert.equal(deals.fileOf(dealer, `0x${'ac'.repeat(32)}` as Digest), undefined)
    assert.equal(deals.fileOf(siteId(2), NAMED.root), undefined, 'another site keyed with the same')
    assert.deepEqual([deals.files.size, warned, missing], [0, [], -1])
    assert.deepEqual(asked.slice(0, 2), [{ ...NAMED, kind: 'masking' }, [siteId(3)]])
  })

  it('is none where it is another site’s, or no deal at all', async () => {
    for (const bytes of [fileOf(siteId(2)), Uint8Array.of(1, 2, 3)]) {
      const { deals, warned } = await fetching(() => bytes)
      assert.deepEqual([deals.fileOf(dealer, NAMED.root), warned], [undefined, ['masking.refused']])
    }
  })
})
