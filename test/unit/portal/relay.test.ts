import assert from 'node:assert/strict'
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '#adapters/host/system-host.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { drawDelay } from '#app/portal/relay-delay.ts'
import { keepRelayFigures, readRelayFigures, watchPortal } from '#app/portal/relay-figures.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { RELAY_WORD, type Taken } from '#patient/portal-api.ts'
import { numberField, signerOf, typedDigest } from '#patient/typed-data.ts'
import { Metrics } from '#web/metrics.ts'
import { HOUR_MS, KEY, type RelayWorld, relayWorld, signedBy } from './world.ts'

// given a relay over a chain that has a programme's terms
// ├── a withdrawal gets its signed word, within what the terms promise, and the same word again
// ├── it is on chain by then, sent in the order of tags
// ├── what is on chain already is answered as such; a programme that the network does not have is refused
// ├── killed before it sent, it knows what it promised when it is started again; a torn line was never promised
// ├── a chain that is away costs time and no withdrawal; a word that is not kept is told as an error
// ├── a file that is damaged in the middle stops it
// ├── its figures are counted over restarts, and told to Prometheus; what waits grows older while it is down
// └── delays: never longer than promised, spread evenly over moments that all relays share

describe('a relay', () => {
  let w: RelayWorld
  before(async () => {
    w = await relayWorld()
  })
  after(() => w.stop())

  it('gives its signed word within the terms, and puts what it took on chain', async () => {
    const relay = await w.open()
    const stop = new AbortController()
    const running = relay.run(stop.signal)
    const signed = ['ann', 'bob', 'cyd', 'dan'].map((name) => signedBy(name, w.domain))
    const words: Taken[] = []
    for (const each of signed) words.push((await relay.take(each)) as Taken)
    for (const [i, { tag, by, relay: account, signature }] of words.entries()) {
      assert.equal(tag, signed[i]?.tag)
      assert.ok(Date.parse(by) <= w.clock.nowMs() + 8 * HOUR_MS && Date.parse(by) > w.clock.nowMs() + 7 * HOUR_MS)
      const digest = typedDigest(w.domain, RELAY_WORD, [fromHex(signed[i]?.programme ?? ''), fromHex(tag), numberField(BigInt(Date.parse(by) / 1000))])
      assert.deepEqual([account, signerOf(digest, signature)], [KEY.account, KEY.account])
    }
    assert.deepEqual(await relay.take(signed[0] as never), words[0])
    const [twice, atOnce] = await Promise.all([relay.take(signedBy('eli', w.domain)), relay.take(signedBy('eli', w.domain))])
    assert.deepEqual(twice, atOnce)
    relay.noteRefused()
    const takenAt = new Date(w.clock.nowMs()).toISOString()
    assert.deepEqual(relay.figures(), { received: 5, sent: 0, refused: 1, waiting: 5, oldestAt: takenAt })
    assert.equal((await relay.state(words[0]?.tag as never, words[0]?.tag as never)).state, 'unknown')

    await w.clock.advance(8 * HOUR_MS)
    for (const { programme, tag } of signed) assert.equal((await relay.state(programme, tag)).state, 'on chain')
    assert.equal(relay.waiting, 0)
    assert.deepEqual(relay.figures(), { received: 5, sent: 5, refused: 1, waiting: 0, oldestAt: null })
    assert.ok(w.sent.every((batch) => batch.join() === batch.toSorted().join()))
    assert.deepEqual(w.sent.flat().toSorted(), [...signed, signedBy('eli', w.domain)].map(({ tag }) => tag).toSorted())
    assert.equal((await relay.take(signed[1] as never)).state, 'on chain')
    stop.abort()
    await running
  })

  it('refuses a programme that the network does not have', async () => {
    const relay = await w.open()
    await assert.rejects(relay.take(signedBy('eve', w.domain, 'unknown')), (error) => isRotaError(error, 'ROTA-6504'))
    assert.equal(relay.waiting, 0)
  })

  it('killed, it knows what it promised; a chain that is away costs time and no withdrawal', async () => {
    const [first, second] = [signedBy('fay', w.domain), signedBy('gus', w.domain)]
    const killed = await w.open()
    const word = await killed.take(first)
    // A second line was half written when the power went.
    await appendFile(w.file, JSON.stringify({ withdrawal: second, due: 1, by: 2 }).slice(0, 90))

    const relay = await w.open()
    assert.deepEqual([relay.waiting, await relay.take(first)], [1, word])
    assert.equal((await relay.state(second.programme, second.tag)).state, 'unknown')
    const stop = new AbortController()
    const running = relay.run(stop.signal)
    w.state.away = true
    await w.clock.advance(JSON.parse((await readFile(w.file, 'utf8')).split('\n')[0] ?? '').due - w.clock.nowMs() + 5_000)
    assert.equal((await relay.state(first.programme, first.tag)).state, 'waiting')
    assert.equal(w.told.length, 0)
    // Longer than promised: somebody has to look.
    await w.clock.advance(Date.parse((word as Taken).by) - w.clock.nowMs() + 70_000)
    assert.ok(w.told.includes('relay.late'))
    w.state.away = false
    await w.clock.advance(120_000)
    assert.equal((await relay.state(first.programme, first.tag)).state, 'on chain')
    stop.abort()
    await running
    assert.equal((await w.open()).waiting, 0)
    assert.equal(await readFile(w.file, 'utf8'), '')
  })

  it('is stopped by a line that is damaged: what it promised must not be forgotten', async () => {
    await writeFile(w.file, '{"withdrawal":{}}\n')
    await assert.rejects(w.open(), (error) => isRotaError(error, 'ROTA-6514'))
    await writeFile(w.file, '')
  })
})

describe('figures of a relay', () => {
  it('are kept over restarts, and told; while the relay is down the oldest grows older', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'rota-figures-')), 'figures.json')
    const text = async (nowMs: number): Promise<string> => {
      const metrics = new Metrics()
      watchPortal(metrics, { portalFigures: file }, () => nowMs)
      return metrics.text()
    }
    assert.match(await text(0), /^rota_portal_withdrawals_waiting 0$/m, 'no portal has run here')
    const figures = { received: 7, sent: 4, refused: 2, waiting: 3, oldestAt: '2026-11-22T10:00:00.000Z' }
    const stop = new AbortController()
    stop.abort()
    await keepRelayFigures(file, { figures: () => figures }, systemClock, stop.signal)
    assert.deepEqual(await readRelayFigures(file), figures)
    const told = await text(Date.parse('2026-11-22T11:00:00Z'))
    for (const line of ['received_total 7', 'sent_total 4', 'refused_total 2', 'waiting 3'])
      assert.ok(told.includes(`\nrota_portal_withdrawals_${line}\n`), line)
    assert.match(told, /^rota_portal_oldest_waiting_seconds 3600$/m)
    await rm(file)
    await mkdir(file)
    await assert.rejects(readRelayFigures(file), (error) => isRotaError(error, 'ROTA-1306'))
    assert.doesNotMatch(await text(0), /^rota_portal_(withdrawals_waiting|oldest_waiting_seconds) /m, 'what cannot be read is not 0')
    await rm(dirname(file), { recursive: true })
  })
})

describe("a relay's delay", () => {
  it('is never longer than promised, leaves time to try again, and is spread evenly over shared moments', () => {
    const random = new SimRandom('spread')
    const [promise, now] = [16 * HOUR_MS, Date.UTC(2026, 5, 1, 3, 17)]
    const drawn = Array.from({ length: 2_000 }, () => drawDelay(now, promise, random))
    for (const { due, by } of drawn) assert.ok(due > now && due <= now + (13 / 16) * promise && by === now + promise && due % HOUR_MS === 0)
    const counts = Map.groupBy(drawn, ({ due }) => due)
    // Twelve hours' worth, of which the first and last are cut by the quarter past.
    assert.equal(counts.size, 13)
    const whole = [...counts].toSorted(([a], [b]) => a - b).slice(1, -1)
    for (const [, { length }] of whole) assert.ok(length > 100 && length < 240, `${length}`)
  })

  it('of a promise of milliseconds is one too', () => {
    const { due, by } = drawDelay(1_000, 1, new SimRandom('short'))
    assert.ok(due >= 1_000 && by === 1_001)
  })
})
