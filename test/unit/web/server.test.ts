import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { encryptionKeyOf } from '#adapters/vault/key-wrap.ts'
import { keyholder } from '#adapters/vault/secrets-vault.ts'
import { openEndpoint } from '#audit/http-source.ts'
import { readerKeyOf } from '#audit/reader-key.ts'
import { macOf, sessionContext, writeProof } from '#audit/request-proof.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, ZERO_DIGEST } from '#base/ids.ts'
import type { Health } from '#web/health.ts'
import { Metrics } from '#web/metrics.ts'
import { readerAccess } from '#web/reader-access.ts'
import { startWeb, type Web } from '#web/server.ts'

const BLOCK = new Uint8Array(700_000).map((_, i) => i % 251)
const CID = `0x${createHash('sha256').update(BLOCK).digest('hex')}` as Digest

const health: Health = {
  ok: true,
  site: { id: 2, name: 'harbour' },
  version: '0.1.0',
  chain: { head: 12, lag: 0, reachable: true },
  peers: 3,
  runs: [{ run: 1, study: 1, state: 'Active', round: 4, phase: 'Witnessing', leader: 0 }],
  problems: [],
}

let web: Web
let state: Health = health
let now = Date.now()
const reader = readerKeyOf(systemRandom.bytes(32))
let listed: readonly Digest[] = [reader.publicKey]

before(async () => {
  const clock = { nowMs: () => now, sleep: async () => undefined }
  const vault = keyholder(encryptionKeyOf(systemRandom.bytes(32)), systemRandom)
  const access = readerAccess(async () => listed, vault, { clock, random: systemRandom })
  const metrics = new Metrics()
  metrics.gauge('rota_peers', 'Members connected now.').set(3)
  web = await startWeb({
    port: 0,
    health: () => state,
    metrics,
    blocks: { access, read: async (digest) => (digest === CID ? BLOCK : null) },
    hosts: ['rota.example.org'],
  })
})
after(() => web.stop())

/** With any Host header, which fetch does not allow. */
const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = request(`${web.url}${path}`, { headers, method, agent: false }, (answer) => {
      let body = ''
      answer
        .setEncoding('latin1')
        .on('data', (part) => (body += part))
        .on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    sent.on('error', reject).end()
  })

/** A proof by hand, so that each part can be made wrong. */
async function proof(change: { path?: string; timeMs?: number; expires?: number } = {}): Promise<string> {
  const session = JSON.parse((await get(`/blocks/session?reader=${reader.publicKey}`)).body) as { wrap: string; expires: number }
  const context = sessionContext(reader.publicKey, session.expires)
  const secret = reader.unwrap([{ recipient: fromHex(reader.publicKey), wrap: fromHex(session.wrap) }], context) as Uint8Array
  const [timeMs, nonce] = [change.timeMs ?? now, systemRandom.bytes(16)]
  return writeProof({
    reader: reader.publicKey,
    expires: change.expires ?? session.expires,
    timeMs,
    nonce,
    mac: macOf(secret, change.path ?? `/blocks/${CID}`, timeMs, nonce),
  })
}

describe('status and metrics', () => {
  it('tells health as JSON, with 503 when the node is not well', async () => {
    const well = await get('/healthz')
    assert.deepEqual([well.status, JSON.parse(well.body)], [200, health])
    state = { ...health, ok: false, problems: [{ code: 'ROTA-5001', what: 'nobody answers' }] }
    assert.equal((await get('/healthz')).status, 503)
    state = health
  })

  it('tells metrics in the text format', async () => {
    const answer = await get('/metrics')
    assert.equal(answer.status, 200)
    assert.match(answer.body, /^rota_peers 3$/m)
  })

  it('answers 404, 405 and 421 to what it does not know', async () => {
    assert.equal((await get('/nothing')).status, 404)
    assert.equal((await get('/healthz', {}, 'POST')).status, 405)
    assert.equal((await get('/healthz', { host: 'evil.example.com' })).status, 421)
    assert.equal((await get('/healthz', { host: 'rota.example.org:443' })).status, 200)
  })

  it('listens on loopback only', async (t) => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((face) => face && !face.internal && face.family === 'IPv4')
    if (outside === undefined) return t.skip('this machine has no address but loopback')
    const refused = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: outside.address, port: web.port, timeout: 2000 })
      const settle = (answer: boolean) => {
        socket.destroy()
        resolve(answer)
      }
      socket.on('connect', () => settle(false))
      for (const event of ['error', 'timeout']) socket.on(event, () => settle(true))
    })
    assert.equal(refused, true)
  })

  it('tells no health where there is no node, and metrics all the same', async () => {
    const alone = await startWeb({ port: 0, health: null, metrics: new Metrics(), blocks: null })
    const statuses = await Promise.all(['/healthz', '/metrics', '/'].map(async (path) => (await fetch(`${alone.url}${path}`)).status))
    await alone.stop()
    assert.deepEqual(statuses, [404, 200, 404])
  })

  it('says so when the port is taken', async () => {
    await assert.rejects(startWeb({ port: web.port, health: () => health, metrics: new Metrics(), blocks: null }), (error) => isRotaError(error, 'ROTA-6406'))
  })
})

describe('blocks for readers', () => {
  it('come to a reader that a study lists', async () => {
    const source = openEndpoint(`${web.url}/`, reader)
    assert.deepEqual(await source.block(CID), new Uint8Array(BLOCK))
    assert.equal(await source.block(ZERO_DIGEST), null)
  })

  it('come to nobody else', async () => {
    const stranger = openEndpoint(web.url, readerKeyOf(systemRandom.bytes(32)))
    await assert.rejects(stranger.block(CID), (error) => isRotaError(error, 'ROTA-6404'))
    assert.equal((await get(`/blocks/${CID}`)).status, 401)
    assert.equal((await get('/blocks/session')).status, 403)
  })

  it('come once for a proof: a repeated one is refused', async () => {
    const authorization = await proof()
    assert.equal((await get(`/blocks/${CID}`, { authorization })).status, 200)
    const again = await get(`/blocks/${CID}`, { authorization })
    assert.equal(again.status, 401)
    assert.match(again.body, /seen before/)
  })

  it('do not come for a proof of another path, time, end or reader', async () => {
    const cases: [Promise<string>, RegExp][] = [
      [proof({ path: `/blocks/${ZERO_DIGEST}` }), /does not fit/],
      [proof({ timeMs: now - 31_000 }), /time is not now/],
      [proof({ timeMs: now + 31_000 }), /time is not now/],
      [proof({ expires: Math.floor(now / 1000) + 99_999 }), /does not fit/],
      [proof().then((header) => header.replace(reader.publicKey, ZERO_DIGEST)), /does not fit/],
      [Promise.resolve('Bearer token'), /no proof/],
    ]
    for (const [authorization, why] of cases) {
      const answer = await get(`/blocks/${CID}`, { authorization: await authorization })
      assert.equal(answer.status, 401)
      assert.match(answer.body, why)
    }
  })

  it('stop coming when the session is over, or the reader is no longer listed', async () => {
    const kept = now
    const header = await proof()
    now += 3_601_000
    assert.match((await get(`/blocks/${CID}`, { authorization: header })).body, /session is over/)
    now = kept
    listed = []
    const unlisted = await get(`/blocks/${CID}`, { authorization: header })
    listed = [reader.publicKey]
    assert.match(unlisted.body, /no study lists/)
  })

  it("follow the endpoint's clock, not the auditor's", async () => {
    now += 600_000
    assert.deepEqual(await openEndpoint(web.url, reader).block(CID), new Uint8Array(BLOCK))
    now -= 600_000
  })

  it('come again after the node started anew, with a new session', async () => {
    const vault = keyholder(encryptionKeyOf(systemRandom.bytes(32)), systemRandom)
    const start = (port: number) =>
      startWeb({
        port,
        health: () => health,
        metrics: new Metrics(),
        blocks: { access: readerAccess(async () => listed, vault, { clock: systemClock, random: systemRandom }), read: async () => BLOCK },
      })
    const first = await start(0)
    const source = openEndpoint(first.url, reader)
    assert.equal((await source.block(CID))?.length, BLOCK.length)
    await first.stop()
    const second = await start(first.port)
    const again = await source.block(CID).finally(() => second.stop())
    assert.equal(again?.length, BLOCK.length)
  })

  it('are not looked for where nobody answers', async () => {
    await assert.rejects(openEndpoint('http://127.0.0.1:1', reader).block(CID), (error) => isRotaError(error, 'ROTA-6403'))
  })
})
