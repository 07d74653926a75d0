import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimJournal } from '#adapters/sim/journal.ts'
import { SimVault } from '#adapters/sim/vault.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { address, roundNo, runId, siteId } from '#base/ids.ts'
import { advertisementOf } from '#core/masking/advertisement.ts'
import { drawSeeds, roundKeys } from '#core/masking/round-keys.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { createMaskingMail } from '#round/masking/mail.ts'
import { drawKeys, ownKeys, wereDrawn } from '#round/masking/secrets.ts'

// given a site's secrets of a masked round
// ├── they are in its journal, sealed: no seed can be read there, and a vault of another site opens none
// ├── once the next round's are drawn they are burnt, and that there were some is known
// given what members offer
// ├── the first offer of a site counts, and a key that was offered before is known again
// └── what is of a round far away, or of a run that is not played, is not heard

const run = runId(1)
const round = roundNo(3)
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
    assert.equal(ownKeys(site, run, round), null)
    await drawKeys(site, run, round)
    const keys = ownKeys(site, run, round)
    const text = JSON.stringify(site.entries)
    for (const seed of Object.values(keys?.seeds ?? {})) assert.ok(!text.includes(toHex(seed).slice(2)))
    const again = siteOf('one', site.entries)
    assert.deepEqual(ownKeys(again, run, round)?.seeds, keys?.seeds)
    assert.equal(ownKeys(siteOf('other', site.entries), run, round), null)
    assert.equal(ownKeys(again, run, roundNo(4)), null)
  })

  it('are burnt when those of the next round are drawn, and never drawn a second time', async () => {
    const site = siteOf('one')
    await drawKeys(site, run, round)
    await drawKeys(site, run, roundNo(4))
    assert.equal(ownKeys(site, run, round), null)
    assert.ok(wereDrawn(site, run, round))
    assert.ok(ownKeys(site, run, roundNo(4)) !== null)
    assert.ok(!wereDrawn(site, run, roundNo(5)))
  })
})

describe('what members offer in masked rounds', () => {
  const offerOf = (seed: number) => advertisementOf(roundKeys(drawSeeds(new Seeded(seed)), nodeMasking))
  const [a, b] = [siteId(0), siteId(1)]

  it('is the first offer of each, and a key that came before is known', () => {
    const mail = createMaskingMail(new Map([[run, 3]]))
    const [one, two] = [offerOf(1), offerOf(2)]
    mail.hear(a, { kind: 'key-offer', run, round, offer: one })
    mail.hear(a, { kind: 'key-offer', run, round, offer: two })
    assert.equal(mail.of(run, round).offers.get(a), one)
    assert.equal(mail.seenBefore(run, round, a, one).size, 0)
    mail.hear(b, { kind: 'key-offer', run, round, offer: one })
    assert.equal(mail.seenBefore(run, round, b, one).size, 3)
    const half = { ...two, maskKey: one.maskKey }
    assert.deepEqual([...mail.seenBefore(run, round, b, half)], [toHex(one.maskKey)])
    assert.equal(fromHex(toHex(one.maskKey)).length, 32)
  })

  it('is not heard of rounds far away, and forgotten with them', () => {
    const rounds = new Map([[run, 3]])
    const mail = createMaskingMail(rounds)
    const word = (no: number) => ({ kind: 'key-offer', run, round: roundNo(no), offer: offerOf(no) }) as const
    assert.deepEqual(
      [2, 3, 4].map((no) => mail.take(word(no))),
      [true, true, true],
    )
    assert.ok(!mail.take(word(5)))
    assert.ok(!mail.take({ ...word(3), run: runId(2) }))
    mail.hear(a, word(3))
    rounds.set(run, 6)
    mail.hear(a, word(6))
    assert.equal(mail.of(run, roundNo(3)).offers.size, 0)
    assert.equal(mail.of(run, roundNo(6)).offers.size, 1)
  })
})
