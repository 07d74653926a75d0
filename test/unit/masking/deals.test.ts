import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { sha256 } from '#app/sha256.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, roundNo, runId, siteId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import { createDeals, type Opener } from '#round/masking/deals.ts'
import { encodeDealFile } from '#wire/masking/deal-file.ts'
import { encodeParcel } from '#wire/masking/parcel.ts'
import { makeParty, type Party, sitesFrom } from '../../support/masked-party.ts'

// given the deals of a round that a site fetches
// ├── a sound one is opened
// ├── one with a byte changed anywhere is its dealer's fault, and never a fault of the site itself
// ├── one that cannot be had yet, for whatever passes, is tried again
// └── when the site's own disk or program fails, no dealer is refused: it is thrown by the next call, once, and tried again

const [me, dealer] = [siteId(0), siteId(1)]
const KEY = new Uint8Array(32)
const NAMED = { root: `0x${'aa'.repeat(32)}` as Digest, cid: `0x${'bb'.repeat(32)}` as Digest }

describe('deals that a site fetches', () => {
  let party: Party
  let opener: Opener
  before(async () => {
    party = await makeParty(sitesFrom(5), new Seeded(3))
    opener = { run: runId(1), round: roundNo(7), terms: party.round, keys: party.members.get(me)!.keys, key: KEY }
  })

  const dealt = () => {
    const { deal, offer } = party.members.get(dealer)!
    return { file: encodeDealFile({ index: deal.index, channelKey: offer.channelKey }), parcel: encodeParcel(deal.parcels.get(me)!) }
  }

  /** Fetches the dealer's deal from a disk that gives what it is told to. @returns once nothing is under way */
  function fetching(disk: { file(): Uint8Array; parcel(): Uint8Array }) {
    const warned: string[] = []
    let settled = Promise.withResolvers<void>()
    const store = { get: async () => disk.file(), getPlain: async () => disk.parcel() }
    const host = { clock: { sleep: () => setImmediate() }, log: { warn: (event: string) => void warned.push(event) } }
    const deals = createDeals({ id: me, masking: nodeMasking, sha256, store, host } as never, () => settled.resolve())
    const open = async (): Promise<void> => {
      settled = Promise.withResolvers()
      deals.open(opener, dealer, NAMED)
      await settled.promise
    }
    return { deals, open, warned }
  }

  it('are opened when they are sound, and tried again while they cannot be had', async () => {
    const { file, parcel } = dealt()
    let missing = 3
    const { deals, open, warned } = fetching({
      file() {
        if (missing-- > 0) throw missing === 1 ? new RotaError('ROTA-4013', { dir: 'objects' }) : new RotaError('ROTA-4010', { cid: NAMED.cid })
        return file
      },
      parcel: () => parcel,
    })
    await open()
    assert.deepEqual([[...deals.opened.keys()], [...deals.indexes.keys()], deals.refused.size, missing, warned], [[dealer], [dealer], 0, -1, []])
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
      const told = i % 2 === 0 ? encodeDealFile({ index: { ...deal.index, parcels }, channelKey: offer.channelKey }) : altered(file)
      const { deals, open, warned } = fetching({ file: () => told, parcel: () => own })
      await open()
      // What is said to others alone shows nothing here.
      if (deals.opened.has(dealer)) continue
      assert.deepEqual([[...deals.refused], warned], [[dealer], ['masking.refused']])
      deals.open(opener, dealer, NAMED)
    }
  })

  it('are nobody’s fault when the site’s own disk or program fails', async () => {
    const { file, parcel } = dealt()
    for (const fault of [Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }), new TypeError('not a function')]) {
      let failing = true
      const { deals, open, warned } = fetching({
        file: () => file,
        parcel() {
          if (failing) throw fault
          return parcel
        },
      })
      await open()
      assert.deepEqual([deals.refused.size, deals.opened.size, warned], [0, 0, []])
      assert.throws(() => deals.open(opener, dealer, NAMED), fault)
      failing = false
      await open()
      assert.ok(deals.opened.has(dealer))
    }
  })

  it('throw the fault to who asks for a key file, too', async () => {
    const { deals, open } = fetching({ file: () => assert.fail('a bug'), parcel: () => new Uint8Array(0) })
    await open()
    assert.throws(() => deals.fetchFile(KEY, dealer, NAMED), /a bug/)
  })
})
