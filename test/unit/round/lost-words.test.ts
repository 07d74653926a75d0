import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as breathe } from 'node:timers/promises'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimTime } from '#adapters/sim/time.ts'
import { bitmapOf, EMPTY } from '#base/bitmap.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { roundNo, runId, type SiteId, siteId } from '#base/ids.ts'
import { answerTo } from '#round/masking/answer.ts'
import { createAsking } from '#round/masking/asking.ts'
import type { Dealing } from '#round/masking/dealing.ts'
import { createMaskingMail } from '#round/masking/mail.ts'
import type { Play } from '#round/play.ts'
import type { Site } from '#round/site.ts'
import { toCbor } from '#wire/cbor.ts'
import { decodeLacking, encodeLacking, type LackedKind } from '#wire/masking/lacking.ts'
import { decodeMessage } from '#wire/message.ts'

// given words of a masked round that are lost on their way
// ├── the question for them comes back as it was, as the golden bytes; what is none is refused; kinds of a newer version are passed over
// ├── when they come within patience, nobody is asked
// ├── when they do not, their author is asked until they are here, at once and then less often
// ├── when an author has nothing to say, or cannot be reached, it is asked again; when its version answers no questions, never again
// ├── when the round is over, nobody is asked any more
// └── whoever is asked says again what it said, to members of the round, of that round alone, and not without end

const of = { run: runId(3), round: roundNo(7), ctx: digestOf('a round') }
const GOLDEN = '0x8602676c61636b696e6703075820'
const author = siteId(4)

describe('the question for lost words', () => {
  it('comes back as it was', () => {
    const question = { ...of, kinds: ['key-offer', 'deal'] as const }
    assert.deepEqual(decodeLacking(encodeLacking(question)), question)
    const golden = { ...of, ctx: toDigest(new Uint8Array(32).fill(0xc7)), kinds: ['release'] as const }
    assert.equal(toHex(encodeLacking(golden)), `${GOLDEN}${'c7'.repeat(32)}816772656c65617365`)
  })

  it('of a newer version is answered as far as it is understood', () => {
    const bytes = toCbor([2, 'lacking', 3, 7, fromHex(of.ctx), ['deal', 'confession']])
    assert.deepEqual(decodeLacking(bytes).kinds, ['deal'])
  })

  it('is refused when it is none', () => {
    const ctx = fromHex(of.ctx)
    for (const [value, code] of [
      [[1, 'lacking', 3, 7, ctx, ['deal']], 'ROTA-4003'],
      [[3, 'lacking', 3, 7, ctx, ['deal']], 'ROTA-4003'],
      [[2, 'lacking', 3, 7, ctx], 'ROTA-4001'],
      [[2, 'wanting', 3, 7, ctx, ['deal']], 'ROTA-4001'],
      [[2, 'lacking', -1, 7, ctx, ['deal']], 'ROTA-4001'],
      [[2, 'lacking', 3, 7, ctx.subarray(1), ['deal']], 'ROTA-4001'],
      [[2, 'lacking', 3, 7, ctx, []], 'ROTA-4001'],
      [[2, 'lacking', 3, 7, ctx, [7]], 'ROTA-4001'],
      [[2, 'lacking', 3, 7, ctx, Array.from({ length: 9 }, () => 'deal')], 'ROTA-4001'],
      [[2, 'lacking', 3, 7, ctx, ['x'.repeat(600)]], 'ROTA-4002'],
    ] as const)
      assert.throws(
        () => decodeLacking(toCbor(value)),
        (error) => isRotaError(error, code),
        JSON.stringify(value[5]),
      )
  })
})

interface Asked {
  readonly atMs: number
  readonly kinds: readonly LackedKind[]
}

/** @param answer what comes of each question, by its number from 1 @returns when it was asked for what, until `untilMs` */
async function asksOf(lacked: (atMs: number) => readonly LackedKind[], untilMs: number, answer: (nth: number) => unknown, endMs = untilMs): Promise<Asked[]> {
  const time = new SimTime(0)
  const asked: Asked[] = []
  const ended = new AbortController()
  const ask = async (site: SiteId, question: Uint8Array): Promise<void> => {
    assert.equal(site, author)
    asked.push({ atMs: time.nowMs, kinds: decodeLacking(question).kinds })
    const error = answer(asked.length)
    if (error !== undefined) throw error
  }
  const clock = { nowMs: () => time.nowMs, sleep: (ms: number, signal: AbortSignal) => time.sleep(ms, signal) }
  const site = { gossip: { ask }, host: { clock, log: { debug: () => undefined } } } as unknown as Site
  const asking = createAsking(site, { ...of, patienceMs: 500, ended: ended.signal })
  time.after(endMs, () => ended.abort())
  for (let atMs = 0; atMs <= untilMs; atMs += 100)
    time.after(atMs, () => asking.follow([author, siteId(5)], (from) => (from === author ? lacked(time.nowMs) : [])))
  await time.sleep(untilMs)
  await breathe()
  return asked
}

const unreached = (): unknown => new RotaError('ROTA-4005', { site: author })

describe('words that are lacking', () => {
  it('are not asked for while they may be on their way', async () => {
    assert.deepEqual(await asksOf((atMs) => (atMs > 300 ? [] : ['deal']), 5_000, unreached), [])
  })

  it('are asked of their author until they are here, less and less often', async () => {
    const kinds: LackedKind[] = ['key-offer', 'deal']
    const asked = await asksOf(
      () => kinds,
      10_000,
      (nth) => {
        if (nth === 3) kinds.shift()
        if (nth === 6) kinds.length = 0
        return nth < 3 ? unreached() : undefined
      },
    )
    assert.deepEqual(
      asked.map(({ atMs }) => atMs),
      [500, 625, 875, 1_375, 2_375, 3_375],
    )
    assert.deepEqual(asked[2]?.kinds, ['key-offer', 'deal'])
    assert.deepEqual(asked[3]?.kinds, ['deal'])
  })

  it('are not asked of a site of a version that answers none, or that says what is no answer', async () => {
    assert.equal(
      (
        await asksOf(
          () => ['deal'],
          10_000,
          () => new RotaError('ROTA-4007', { site: author, protocol: '/rota/words/1' }),
        )
      ).length,
      1,
    )
    assert.equal(
      (
        await asksOf(
          () => ['deal'],
          10_000,
          () => new RotaError('ROTA-4002', { size: 2, limit: 1 }),
        )
      ).length,
      1,
    )
  })

  it('are not asked for once the round is over', async () => {
    assert.equal((await asksOf(() => ['deal'], 10_000, unreached, 900)).length, 3)
  })
})

describe('a site that is asked for its words', () => {
  const members = [0, 1, 2, 4].map(siteId)
  const key = { publicKey: new Uint8Array(32).fill(1) }
  const keys = { mask: key, channel: key, channelKem: { publicKey: new Uint8Array(1184).fill(2) } }
  const dealing = (given: Partial<Dealing> = {}): Dealing =>
    ({ ...of, terms: { members: bitmapOf(members) }, keys, own: new Uint8Array(8), answered: new Map(), ...given }) as unknown as Dealing
  const mail = createMaskingMail(new Map([[of.run, of.round]]))
  const playOf = (masked: Dealing | null, ahead: Dealing | null = null) => ({ site: { id: author }, mail, masked, ahead }) as unknown as Play
  const saidBy = (play: Play, kinds: readonly LackedKind[], from = siteId(1), ctx = of.ctx) =>
    answerTo(play, { ...of, ctx, kinds }, from).map((word) => decodeMessage(word).kind)

  it('says them again, also those of a round that it prepares', () => {
    assert.deepEqual(saidBy(playOf(dealing()), ['key-offer', 'deal']), ['key-offer', 'deal'])
    assert.deepEqual(saidBy(playOf(dealing()), ['deal']), ['deal'])
    assert.deepEqual(saidBy(playOf(null, dealing()), ['key-offer']), ['key-offer'])
  })

  it('says none that it has not said', () => {
    assert.deepEqual(saidBy(playOf(dealing({ keys: null, own: null })), ['key-offer', 'deal', 'release']), [])
    assert.deepEqual(saidBy(playOf(dealing()), ['release']), [])
    const release = { ctx: new Uint8Array(32), survivors: bitmapOf([0, 1].map(siteId)), about: EMPTY, shares: [], pairShares: [] }
    mail.hear(author, { kind: 'release', run: of.run, round: of.round, release })
    assert.deepEqual(saidBy(playOf(dealing()), ['release']), ['release'])
  })

  it('says nothing to who is no member, and nothing of another round', () => {
    assert.deepEqual(saidBy(playOf(dealing()), ['deal'], siteId(3)), [])
    assert.deepEqual(saidBy(playOf(dealing()), ['deal'], siteId(1), digestOf('another round')), [])
    assert.deepEqual(saidBy(playOf(null), ['deal']), [])
  })

  it('does not say them without end', () => {
    const play = playOf(dealing())
    const count = (from: SiteId): number => Array.from({ length: 40 }, () => saidBy(play, ['deal'], from).length).reduce((sum, n) => sum + n, 0)
    assert.deepEqual([count(siteId(1)), count(siteId(2))], [16, 16])
  })
})
