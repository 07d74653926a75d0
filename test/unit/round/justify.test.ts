import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimJournal } from '#adapters/sim/journal.ts'
import { SimVault } from '#adapters/sim/vault.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { bitmapOf, EMPTY } from '#base/bitmap.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { address, type Bitmap, type Digest, roundNo, runId, type SiteId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { hasShownTooMany, justify } from '#round/masking/justify.ts'
import { sealDealt } from '#round/masking/secrets.ts'
import type { Play, Round } from '#round/play.ts'
import { encodeDealFile } from '#wire/masking/deal-file.ts'
import { decodeJustification, readJustification } from '#wire/masking/justification.ts'
import { encodeParcel } from '#wire/masking/parcel.ts'
import { fileOf, keyedAs, makeParty, type Party, sitesFrom } from '../../support/masked-party.ts'

// given a site that keyed in a masked round of seven (five shares rebuild a secret), some of whom say that they do not hold its deal
// ├── it shows their shares with its deal, be parcels in that or apart, and its journal has whose before the call leaves
// ├── it has nothing to show, and shows nothing, where all hold its deal, or it keyed with another than it dealt last
// ├── so where the shares are wiped or sealed by another vault, where its store has lost the deal or a parcel, or does not answer
// └── so where they are more than may be public, counting those whose it showed while the chain was another; then it would not be hidden enough, and knows

const [run, round] = [runId(3), roundNo(7)]
const me = siteId(3)
const key = new Uint8Array(32).fill(7)
const signal = new AbortController().signal
const [genesis, coordinator] = [digestOf('genesis'), address(`0x${'5c'.repeat(20)}`)]

interface Told {
  readonly complaining?: readonly SiteId[]
  readonly entries?: (dealt: JournalEntry) => JournalEntry[]
  readonly isApart?: boolean
  readonly store?: (store: ModelStore) => Partial<ModelStore>
  readonly vault?: string
  readonly keyed?: readonly SiteId[]
  /** Another root than it dealt. */
  readonly keyedWith?: string
}

describe('a dealer of whom some complain', () => {
  let party: Party
  let store: ModelStore
  before(async () => {
    party = await makeParty(sitesFrom(7), new Seeded(17))
    const world = SimWorld.create({ seed: 1, sites: 7, faults: NO_FAULTS, chain: { latencyMs: [1, 1] } })
    store = world.start(world.site(me)).store
  })

  async function play(told: Told) {
    const { complaining = [], isApart = false, keyed: here = sitesFrom(7) } = told
    const member = party.members.get(me)!
    const { index, parcels } = member.deal
    const apart = {
      ...index,
      parcels: await Promise.all([...parcels.values()].map(async (parcel) => fromHex(await store.putPlain(encodeParcel(parcel), signal)))),
    }
    const file = isApart ? encodeDealFile({ index: apart, channelKey: member.offer.channelKey, parcels: [] }) : fileOf(member)
    const named = await store.put(file, outlineOf(file, nodeMasking.sha256), 'masking', key, signal)
    const rootFor = (site: SiteId): Digest => (site === me ? named.root : digestOf('deal', site))
    const keyed = keyedAs(
      here.map((site) => ({ site, holds: bitmapOf(sitesFrom(7).filter((dealer) => dealer !== site && !(dealer === me && complaining.includes(site)))) })),
      rootFor,
    )
    const ctx = toDigest(party.round.ctx)
    const of = { run, round }
    const chain = { genesis, coordinator } as never
    const sealing = { chain, vault: new SimVault('one', coordinator) } as never
    const { root, cid } = named
    const dealt: JournalEntry = { kind: 'dealt', ...of, ctx, root, cid, shares: sealDealt(sealing, of, member.deal.shares) }
    const entries = told.entries?.(dealt) ?? [dealt]
    const [before_, sent] = [entries.length, [] as { justification: string; began: unknown; written: readonly JournalEntry[] }[]]
    const site = {
      id: me,
      chain: {
        genesis,
        coordinator,
        events: async () => [3, 4, 5].map((n) => ({ kind: 'PhaseBegan', run, round: roundNo(n === 5 ? 8 : 7), phase: 'Keying', began: digestOf('block', n) })),
        justify: async (r: unknown, n: unknown, justification: string, began: unknown) => void sent.push({ justification, began, written: ofCall([r, n]) }),
      },
      vault: new SimVault(told.vault ?? 'one', coordinator),
      journal: new SimJournal(entries),
      masking: nodeMasking,
      sha256: nodeMasking.sha256,
      store: { get: store.get.bind(store), getPlain: store.getPlain.bind(store), ...told.store?.(store) },
      host: { clock: { nowMs: () => 0, sleep: told.store ? async (_ms: number, ended: AbortSignal) => soon(ended) : untilAborted } },
    }
    const ofCall = (at: unknown[]) => {
      assert.deepEqual(at, [run, round])
      return entries.slice(before_)
    }
    const events = told.keyedWith === undefined ? keyed : keyed.map((said) => (said.site === me ? { ...said, dealDigest: digestOf(told.keyedWith!) } : said))
    const masked = { ...of, ctx, terms: party.round, keyed: events, own: null }
    const playing = { site, masked } as unknown as Play
    await justify(playing, { run, round, key, view: { round: { openedAtBlock: 1 } } } as unknown as Round, signal)
    assert.deepEqual(
      sent.map(({ began }) => began),
      [digestOf('block', 4)],
    )
    return { ...sent[0]!, said: events.find((each) => each.site === me)!, entries, ctx, isTooMany: hasShownTooMany(playing, masked as never) }
  }

  const soon = (ended: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      setTimeout(resolve, 5)
      ended.addEventListener('abort', () => reject(ended.reason))
    })
  const untilAborted = (_ms: number, ended: AbortSignal) => new Promise<void>((_, reject) => ended.addEventListener('abort', () => reject(ended.reason)))
  const shown = (ctx: JournalEntry & { ctx: string }, ...holders: SiteId[]) =>
    ({ kind: 'justified', run, round, ctx: ctx.ctx, holders: bitmapOf(holders) }) as JournalEntry
  const showsNothing = async (told: Told) => {
    const { justification, written, ctx } = await play(told)
    assert.deepEqual([justification, written], ['0x', [{ kind: 'justified', run, round, ctx, holders: EMPTY }]])
  }
  const [one, two, three] = [0, 5, 6].map(siteId) as [SiteId, SiteId, SiteId]

  it('shows their shares, and its journal has whose before the call leaves', async () => {
    for (const complaining of [[one], [one, three]]) {
      const { justification, written, said, ctx, isTooMany } = await play({ complaining })
      assert.deepEqual(written, [{ kind: 'justified', run, round, ctx, holders: bitmapOf(complaining) }])
      const found = readJustification(justification, party.round, said, nodeMasking)!
      assert.deepEqual([[...found.shares.keys()], isTooMany], [complaining, false])
      for (const [holder, { mask, self }] of found.shares) assert.deepEqual({ mask, self }, party.members.get(me)!.deal.shares.get(holder))
      for (const { parcel } of decodeJustification(fromHex(justification)).shares) assert.equal(parcel.length, 0)
      // What else it has it keeps: no seed, and no share of anybody else.
      const { seeds } = party.members.get(me)!.keys
      const kept = [
        ...Object.values(seeds),
        ...[...party.members.get(me)!.deal.shares].flatMap(([holder, { mask, self }]) => (complaining.includes(holder) ? [] : [mask, self])),
      ]
      for (const secret of kept) assert.ok(!justification.includes(toHex(secret).slice(2)))
    }
  })

  it('shows them with their parcels where these lie apart', async () => {
    const { justification, said } = await play({ complaining: [one, three], isApart: true })
    const { file, shares } = decodeJustification(fromHex(justification))
    assert.ok(file.length < 2_000)
    const { parcels } = party.members.get(me)!.deal
    assert.deepEqual(
      shares.map(({ holder, parcel }) => [holder, parcel]),
      [one, three].map((holder) => [holder, encodeParcel(parcels.get(holder)!)]),
    )
    assert.deepEqual([...readJustification(justification, party.round, said, nodeMasking)!.shares.keys()], [one, three])
    const lost = async () => {
      throw new RotaError('ROTA-4010', { cid: digestOf('parcel') })
    }
    await showsNothing({ complaining: [one], isApart: true, store: () => ({ getPlain: lost as never }) })
  })

  it('shows nothing where all who keyed hold its deal', async () => {
    await showsNothing({})
    // Whoever did not key complains of nothing.
    await showsNothing({ complaining: [three], keyed: sitesFrom(6) })
  })

  it('shows nothing where it keyed with another deal than it dealt, or has no word of any', async () => {
    await showsNothing({ complaining: [one], keyedWith: 'another' })
    await showsNothing({ complaining: [one], entries: (dealt) => [dealt, { ...dealt, root: digestOf('later') } as JournalEntry] })
    await showsNothing({ complaining: [one], entries: () => [] })
    for (const other of [{ round: roundNo(8) }, { run: runId(4) }, { ctx: digestOf('other members') }])
      await showsNothing({ complaining: [one], entries: (dealt) => [{ ...dealt, ...other } as JournalEntry] })
    await showsNothing({ complaining: [one], keyed: sitesFrom(7).filter((site) => site !== me) })
  })

  it('shows nothing where its shares are wiped, sealed by another vault, or of too few', async () => {
    await showsNothing({ complaining: [one], entries: (dealt) => [{ ...dealt, shares: '' } as JournalEntry] })
    await showsNothing({ complaining: [one], vault: 'other' })
    const sealing = { chain: { genesis, coordinator }, vault: new SimVault('one', coordinator) } as never
    const few = new Map([...party.members.get(me)!.deal.shares].filter(([holder]) => holder !== one))
    const entries = (dealt: JournalEntry) => [{ ...dealt, shares: sealDealt(sealing, { run, round }, few) } as JournalEntry]
    await showsNothing({ complaining: [one], entries })
    assert.notEqual((await play({ complaining: [two], entries })).justification, '0x')
  })

  it('shows nothing where its store has lost the deal, or does not answer', async () => {
    await showsNothing({ complaining: [one], entries: (dealt) => [{ ...dealt, cid: digestOf('nowhere') } as JournalEntry], store: () => ({}) })
    const never = (_: unknown, __: unknown, ended: AbortSignal) =>
      new Promise<never>((_resolve, reject) => ended.addEventListener('abort', () => reject(ended.reason)))
    await showsNothing({ complaining: [one], store: () => ({ get: never as never }) })
  })

  it('shows nothing where they are more than may be public, on this chain and on what it was before', async () => {
    await showsNothing({ complaining: [one, two, three] })
    // Of six that keyed one may be.
    await showsNothing({ complaining: [one, two], keyed: sitesFrom(6) })
    assert.notEqual((await play({ complaining: [one], keyed: sitesFrom(6) })).justification, '0x')
    type Dealt = JournalEntry & { ctx: string }
    const after =
      (...holders: SiteId[]) =>
      (dealt: JournalEntry) => [dealt, shown(dealt as Dealt, ...holders)]
    await showsNothing({ complaining: [one], entries: after(two, three) })
    const each = await play({ complaining: [one], entries: (dealt) => [dealt, shown(dealt as Dealt, two), shown(dealt as Dealt, three)] })
    assert.deepEqual([each.justification, each.isTooMany], ['0x', false])
    for (const [entries, isNew] of [
      [after(one, two), true],
      [after(two), true],
      [after(one), false],
    ] as const) {
      const { justification, written } = await play({ complaining: [one], entries })
      assert.notEqual(justification, '0x')
      assert.deepEqual(
        written.map((entry) => (entry as { holders: Bitmap }).holders),
        isNew ? [bitmapOf([one])] : [],
      )
    }
    // Of another round, context or run it does not count.
    for (const other of [{ round: roundNo(8) }, { run: runId(4) }, { ctx: digestOf('other members') }])
      assert.notEqual(
        (await play({ complaining: [one], entries: (dealt) => [dealt, { ...shown(dealt as Dealt, two, three), ...other } as JournalEntry] })).justification,
        '0x',
      )
  })

  it('knows when it showed more than the round bears', async () => {
    const shownBefore = (count: number) => (dealt: JournalEntry) => [
      dealt,
      shown(
        dealt as JournalEntry & { ctx: string },
        ...sitesFrom(7)
          .filter((site) => site !== me)
          .slice(0, count),
      ),
    ]
    for (const [count, keyed, isTooMany] of [
      [0, 7, false],
      [2, 7, false],
      [3, 7, true],
      [1, 6, false],
      [2, 6, true],
      [1, 5, true],
    ] as const)
      assert.equal((await play({ entries: shownBefore(count), keyed: sitesFrom(keyed) })).isTooMany, isTooMany, `${count} of ${keyed}`)
  })
})
