import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyingBytes, unmaskingBytes } from '#app/canary/canary-masking.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { toDigest } from '#base/bytes.ts'
import { roundNo, runId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import { encodeDealFile, MOST_TOGETHER } from '#wire/masking/deal-file.ts'
import { encodeDealWord } from '#wire/masking/deal-word.ts'
import { encodeKeyOffer } from '#wire/masking/key-offer.ts'
import { encodeParcel } from '#wire/masking/parcel.ts'
import { encodeRelease } from '#wire/masking/release.ts'
import { fileOf, keyIn, type Member, makeParty, type Party, releasesOf, sitesFrom } from '../../support/masked-party.ts'

// given sites that really keyed with each other
// └── what a canary reckons that each gets is no less than the messages that come to it, and at most half more

const at = { run: runId(3), round: roundNo(7) }

/** Of one member: its keys, its deal, and what of the deal another asks for. */
function sentBy({ site, offer, deal }: Member, { round }: Party): number {
  const offered = encodeKeyOffer({ ...at, ctx: toDigest(round.ctx), offer }).length
  const together = deal.parcels.size <= MOST_TOGETHER
  const file = together ? fileOf({ deal, offer }) : encodeDealFile({ index: deal.index, channelKey: offer.channelKey, parcels: [] })
  const parcels = [...deal.parcels].filter(([to]) => to !== site).map(([, parcel]) => encodeParcel(parcel).length)
  return offered + encodeDealWord({ ...at, file }).length + (together ? 0 : Math.max(...parcels))
}

describe('what a canary reckons of masking', () => {
  for (const count of [4, MOST_TOGETHER, 16])
    it(`is what ${count} sites send`, async () => {
      const sites = sitesFrom(count)
      const party = await makeParty(sites, new Seeded(1))
      const got = [...party.members.values()].slice(1).reduce((sum, member) => sum + sentBy(member, party), 0)
      const keyed = keyIn(party, { keyed: sites, isLost: () => false })
      const shown = [...releasesOf(keyed, bitmapOf(sites), sites.slice(1)).values()].reduce((sum, release) => sum + encodeRelease({ ...at, release }).length, 0)
      for (const [reckoned, real] of [
        [keyingBytes(count), got],
        [unmaskingBytes(count), shown],
      ] as const)
        assert.ok(reckoned >= real && reckoned <= 1.5 * real, `${reckoned} of ${real}`)
    })

  it('is nothing of one site', () => assert.deepEqual([keyingBytes(1), unmaskingBytes(1)], [0, 0]))
})
