import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf, sha256 } from '#adapters/sim/hash.ts'
import { bitmapOf, EMPTY } from '#base/bitmap.ts'
import { roundNo, runId, siteId } from '#base/ids.ts'
import { heldDealsOf, nameOfDeal } from '#core/masking/held-deals.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { keyAgain } from '#round/masking/key.ts'
import type { Keying } from '#round/masking/masked-round.ts'
import { keyedBefore } from '#round/masking/said.ts'
import type { Play, Round } from '#round/play.ts'

// given a site that said in its journal what it keyed with
// ├── when its call was lost, it says the very same again: its deal, whose deals it holds, and which
// ├── when it keyed in another opening of the round too, for other members, it says what is of this one
// └── when the chain has one of those of this opening, that one counts

const at = { run: runId(1), round: roundNo(1) }
const me = siteId(2)
const round = at as unknown as Round
const held = bitmapOf([siteId(0), siteId(4)])
const namesFrom = (deal: string): string =>
  heldDealsOf(held, (dealer) => ({
    name: nameOfDeal({ dealDigest: digestOf(deal, dealer), dealCid: digestOf('cid', dealer) }, sha256),
    hidden: dealer < me ? digestOf('hidden', dealer).slice(2) : null,
  }))

type Entry = Extract<JournalEntry, { kind: 'keyed' }>
const entry = (ctx: string, heldDeals: string, of: Partial<Entry> = {}): Entry => ({
  ...{ kind: 'keyed', ...at, ctx: digestOf(ctx), root: digestOf('root'), cid: digestOf('cid') },
  ...{ held, heldDeals, shares: '0xabcd', ...of },
})
const ENTRIES = [entry('one', namesFrom('a')), entry('two', namesFrom('b')), entry('two', namesFrom('c')), entry('one', namesFrom('d'), { round: roundNo(2) })]

function playOf(entries: readonly JournalEntry[], ctx = 'two') {
  const sent: unknown[][] = []
  const site = { id: me, journal: { entries: () => entries }, chain: { key: async (...args: unknown[]) => void sent.push(args) } }
  return { play: { site, masked: maskedOf(ctx) } as unknown as Play, sent }
}

const maskedOf = (ctx: string, keyed: readonly Keying[] = []) => ({ ...at, ctx: digestOf(ctx), keyed })

describe('what a site keyed with', () => {
  it('is said again as the journal has it, of this round and opening', async () => {
    for (const [ctx, names] of [
      ['one', 'a'],
      ['two', 'c'],
    ] as const) {
      const { play, sent } = playOf(ENTRIES, ctx)
      await keyAgain(play, round)
      assert.deepEqual(sent, [[at.run, at.round, digestOf('root'), digestOf('cid'), held, namesFrom(names)]])
    }
  })

  it('is not said where nothing was', async () => {
    const { play, sent } = playOf(ENTRIES, 'three')
    await keyAgain(play, round)
    await keyAgain(playOf([], 'one').play, round)
    assert.deepEqual(sent, [])
  })

  it('is what the chain has of it, by all that it says', () => {
    const { play } = playOf(ENTRIES)
    const said = (ctx: string, of: Partial<Keying>, site = me) =>
      maskedOf(ctx, [
        { ...at, kind: 'Keyed', site, dealDigest: digestOf('root'), dealCid: digestOf('cid'), holds: held, heldDeals: namesFrom('b'), ...of } as Keying,
      ])
    assert.equal(keyedBefore(play, said('two', {})), ENTRIES[1])
    assert.equal(keyedBefore(play, said('one', {})), ENTRIES[0], 'of another opening')
    for (const other of [{ heldDeals: namesFrom('e') }, { holds: EMPTY }, { dealDigest: digestOf('other') }])
      assert.equal(keyedBefore(play, said('two', other)), ENTRIES[2])
    assert.equal(keyedBefore(play, said('two', {}, siteId(3))), ENTRIES[2])
    assert.equal(keyedBefore(play, said('three', {}, siteId(3))), null)
  })
})
