import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimJournal } from '#adapters/sim/journal.ts'
import { SimVault } from '#adapters/sim/vault.ts'
import { toHex } from '#base/bytes.ts'
import { address, roundNo, runId, siteId } from '#base/ids.ts'
import { advertisementOf } from '#core/masking/advertisement.ts'
import { drawSeeds, roundKeys } from '#core/masking/round-keys.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { createMaskingMail } from '#round/masking/mail.ts'
import { drawSecrets, openShares, ownKeys, sealShares, wereDrawn } from '#round/masking/secrets.ts'
import { makeParty, sitesFrom } from '../../support/masked-party.ts'

// given a site's secrets of a masked round
// ├── they are in its journal, sealed: no seed can be read there, and a vault of another site opens none
// ├── once they are burnt it is known that there were some, and those of a round that opens otherwise are others
// ├── what it holds of deals is sealed the same way, and comes back whole
// given what members offer
// ├── the first offer of a site counts, and a key that it offered in a round before is known again; another's is no fault
// └── what is of a round far away, or of a run that is not played, is not heard

const run = runId(1)
const round = roundNo(3)
const ctx = digestOf('terms')
const of = { run, round, ctx }
const next = { ...of, round: roundNo(4) }
const genesis = digestOf('genesis')
const coordinator = address(`0x${'5c'.repeat(20)}`)

function siteOf(name: string, entries: JournalEntry[] = []) {
  const vault = new SimVault(name, coordinator)
  return {
    chain: { genesis, coordinator } as never,
    vault,
    journal: new SimJournal(entries),
    masking: nodeMasking,
    host: { random: new Seeded(name.length) },
    entries,
  }
}

describe('secrets of a round', () => {
  it('lie sealed in the journal, and come back after a restart', async () => {
    const site = siteOf('one')
    assert.equal(ownKeys(site, of), null)
    await site.journal.append(drawSecrets(site, of))
    const keys = ownKeys(site, of)
    const text = JSON.stringify(site.entries)
    for (const seed of Object.values(keys?.seeds ?? {})) assert.ok(!text.includes(toHex(seed).slice(2)))
    const again = siteOf('one', site.entries)
    assert.deepEqual(ownKeys(again, of)?.seeds, keys?.seeds)
    assert.equal(ownKeys(siteOf('other', site.entries), of), null)
    assert.equal(ownKeys(again, next), null)
  })

  it('are known to have been drawn when they are burnt, and are others where the round opens with other members', async () => {
    const site = siteOf('one')
    const otherwise = { ...next, ctx: digestOf('other members') }
    await site.journal.append(drawSecrets(site, of), drawSecrets(site, next), drawSecrets(site, otherwise))
    await site.journal.burn(run, next.round)
    assert.equal(ownKeys(site, of), null)
    assert.ok(wereDrawn(site, of))
    assert.notDeepEqual(ownKeys(site, next)?.seeds, ownKeys(site, otherwise)?.seeds)
    assert.ok(!wereDrawn(site, { ...next, round: roundNo(5) }))
    assert.ok(!wereDrawn(site, { ...next, ctx: digestOf('third') }))
  })
})

describe('what a site holds of deals', () => {
  it('comes back after a restart as it was', async () => {
    const party = await makeParty(sitesFrom(5), new Seeded(5))
    const { site: me, opened } = party.members.get(siteId(2))!
    const site = siteOf('one')
    const sealed = sealShares(site, of, opened)
    assert.deepEqual(openShares(site, of, sealed, me), [...opened.values()])
    assert.deepEqual(openShares(site, of, '', me), [])
    for (const { shares, pairSecret, agreed } of opened.values())
      for (const secret of [shares.mask, shares.self, pairSecret, agreed]) assert.ok(secret === null || !sealed.includes(toHex(secret).slice(2)))
    assert.deepEqual(
      [...opened.values()].map(({ dealer, pairSecret, agreed }) => [dealer, pairSecret?.length, agreed?.length]),
      [0, 1, 2, 3, 4].map((dealer) => (dealer === me ? [me, undefined, undefined] : [dealer, 32, 32])),
    )
    assert.throws(() => openShares(siteOf('other'), of, sealed, me))
  })
})

describe('what members offer in masked rounds', () => {
  const offerOf = (seed: number) => advertisementOf(roundKeys(drawSeeds(new Seeded(seed)), nodeMasking))
  const [a, b] = [siteId(0), siteId(1)]

  it('is the first offer of each, and a key that it offered before is known', () => {
    const mail = createMaskingMail(new Map([[run, 3]]))
    const [one, two] = [offerOf(1), offerOf(2)]
    mail.hear(a, { kind: 'key-offer', run, round, ctx, offer: one })
    mail.hear(a, { kind: 'key-offer', run, round, ctx, offer: two })
    assert.equal(mail.of(run, round).offers.get(ctx)?.get(a), one)
    const three = offerOf(3)
    mail.hear(a, { kind: 'key-offer', run, round, ctx: digestOf('other members'), offer: three })
    assert.equal(mail.of(run, round).offers.get(digestOf('other members'))?.get(a), three)
    assert.equal(mail.seenBefore(run, round, a, one).size, 0)
    const half = { ...two, maskKey: one.maskKey }
    assert.deepEqual([...mail.seenBefore(run, next.round, a, half)], [toHex(one.maskKey)])
    assert.equal(mail.seenBefore(run, next.round, a, one).size, 3)
    // Whoever says another's keys after it, or before, does the other no harm.
    mail.hear(b, { kind: 'key-offer', run, round, ctx, offer: three })
    for (const offer of [one, three])
      for (const [site, at] of [
        [b, round],
        [a, round],
      ] as const)
        assert.equal(mail.seenBefore(run, at, site, offer).size, 0)
    assert.equal(mail.seenBefore(run, next.round, b, one).size, 0)
    assert.equal(mail.seenBefore(run, next.round, b, three).size, 3)
  })

  it('is not heard of rounds far away, and forgotten with them', () => {
    const rounds = new Map([[run, 3]])
    const mail = createMaskingMail(rounds)
    const word = (no: number) => ({ kind: 'key-offer', run, round: roundNo(no), ctx, offer: offerOf(no) }) as const
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map((no) => mail.take(a, word(no))),
      [false, true, true, true, true, false],
    )
    assert.ok(!mail.take(a, { ...word(3), run: runId(2) }))
    mail.hear(a, word(3))
    rounds.set(run, 6)
    mail.hear(a, word(6))
    assert.equal(mail.of(run, roundNo(3)).offers.size, 0)
    assert.equal(mail.of(run, roundNo(6)).offers.size, 1)
  })
})
