import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { portalWork } from '#app/portal/portal-work.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type Digest, digest, siteId } from '#base/ids.ts'
import { consentKeys } from '#patient/keys.ts'
import { ASK_ROUNDS, askAgain, type Place, type ToldRecords, type Withdrawn } from '#patient/portal-api.ts'
import { signRequest } from '#patient/request.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { readListen } from '#web/listening.ts'
import type { PortalParts } from '#web/portal/portal-parts.ts'
import { type PortalServer, startPortalServer } from '#web/portal/portal-server.ts'
import { networkPart, RateLimit, USUAL_REQUESTS } from '#web/portal/rate-limit.ts'
import { secretOf } from '../patient/support.ts'
import { HandClock, ID, KEY, PROGRAMME, type RelayWorld, relayWorld, signedBy } from './world.ts'

// given a portal that listens
// ├── place tells network, programmes with their terms, and the time; any page may ask, none gets a cookie
// ├── a signed withdrawal is taken with 202, and with the same word when it is replayed; its state and its prefix are told
// ├── forged, altered, cross-programme, cross-network: refused before anything else; so is what is no withdrawal
// ├── questions by the card's key: expired, of another kind, and asked of a relay that belongs to no hospital
// ├── records: of rounds that there are; wrong queries are refused
// ├── all withdrawals up to a block, and a block's hash, for who checks a cohort
// ├── too long, too many, nowhere: one answer each, with code, message and remedy
// ├── what is for whoever runs it stays in the log
// └── it serves the page's files and no other file of the disk; an address that is taken is named

describe('a portal', () => {
  let w: RelayWorld
  let server: PortalServer
  let parts: PortalParts
  const told: string[] = []

  const ask = async (path: string, body?: unknown) => {
    const init = body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }
    const response = await fetch(`${server.url}${path}`, init)
    const text = await response.text()
    const value = response.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text
    return { status: response.status, value, headers: response.headers }
  }
  const refused = async (path: string, body: unknown, status: number, code: string) => {
    const answer = await ask(path, body)
    assert.deepEqual([answer.status, answer.value.code], [status, code], `${path}: ${JSON.stringify(answer.value)}`)
    assert.deepEqual(Object.keys(answer.value), ['code', 'message', 'remedy'])
  }
  const signed = (name: string) => signedBy(name, w.domain)
  const now = () => Math.floor(w.clock.nowMs() / 1000)

  before(async () => {
    w = await relayWorld()
    const relay = await w.open()
    const network = { chainId: Number(w.chain.chainId), contracts: w.world.chain.consentRegistry, consentRegistry: w.world.chain.consentRegistry }
    const tell = (event: string) => void told.push(event)
    const log = { info: () => undefined, warn: tell, error: tell }
    const work = portalWork({ site: null, network, answers: w.answers, relay, account: KEY.account, others: ['https://other.example'], clock: w.clock, log })
    const page = new Map([['/', { type: 'text/html', bytes: new Uint8Array(Buffer.from('<p>page</p>')) }]])
    parts = { work, domain: w.domain, clock: w.clock, notes: log, page, behindProxy: true, requestsPerMinute: USUAL_REQUESTS }
    server = await startPortalServer({ host: '127.0.0.1', port: 0 }, parts)
  })
  after(async () => {
    await server.stop()
    await w.stop()
  })

  it('tells its place to any page, without cookies', async () => {
    const { status, value, headers } = await ask('/api/place')
    const place = value as Place
    assert.deepEqual([status, place.site, place.relay, place.time], [200, null, KEY.account, now()])
    assert.deepEqual(
      place.programmes.map(({ name, id, terms }) => [name, id, terms?.texts['en']?.title]),
      [[PROGRAMME, ID, 'Hearts']],
    )
    assert.deepEqual(place.portals, ['https://heart.example', 'https://other.example'])
    assert.deepEqual([headers.get('access-control-allow-origin'), headers.get('set-cookie'), headers.get('cache-control')], ['*', null, 'no-store'])
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
    const preflight = await fetch(`${server.url}/api/withdrawals`, { method: 'OPTIONS' })
    assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-headers')], [204, 'content-type'])
  })

  it('takes a signed withdrawal, and a replay of it, with one word', async () => {
    const withdrawal = signed('ann')
    const first = await ask('/api/withdrawals', withdrawal)
    const again = await ask('/api/withdrawals', withdrawal)
    assert.deepEqual([first.status, again.status, again.value], [202, 202, first.value])
    assert.deepEqual((await ask(`/api/withdrawals/${ID}/${withdrawal.tag}`)).value, first.value)
    assert.equal((await ask(`/api/withdrawals/${ID}/${signed('bob').tag}`)).value.state, 'unknown')

    await w.chain.withdrawMany(ID, [withdrawal])
    const there = await ask('/api/withdrawals', signed('ann'))
    assert.deepEqual([there.status, there.value.state], [200, 'on chain'])
    const told = (await ask(`/api/withdrawn?programme=${ID}&prefix=${withdrawal.tag.slice(0, 5)}`)).value as Withdrawn
    assert.deepEqual(
      told.withdrawn.map(({ tag }) => tag),
      [withdrawal.tag],
    )
    assert.deepEqual((await ask(`/api/withdrawals/${ID}/${withdrawal.tag}`)).value.state, 'on chain')
  })

  it('refuses what the card did not sign, before anything else', async () => {
    const withdrawal = signed('cyd')
    const last = withdrawal.signature.slice(0, 20) + (withdrawal.signature[20] === '0' ? '1' : '0') + withdrawal.signature.slice(21)
    await refused('/api/withdrawals', { ...withdrawal, signature: last }, 400, 'ROTA-6502')
    await refused('/api/withdrawals', { ...withdrawal, signature: signed('dan').signature }, 400, 'ROTA-6502')
    await refused('/api/withdrawals', { ...withdrawal, tag: signed('dan').tag }, 400, 'ROTA-6502')
    await refused('/api/withdrawals', { ...signedBy('cyd', w.domain, 'other programme'), programme: ID }, 400, 'ROTA-6502')
    await refused('/api/withdrawals', signedBy('cyd', consentDomain(1n, w.domain.verifyingContract)), 400, 'ROTA-6502')
    await refused('/api/withdrawals', signedBy('cyd', w.domain, 'other programme'), 404, 'ROTA-6504')
    for (const none of ['', '{', 'null', [], { ...withdrawal, tag: '0x12' }, { ...withdrawal, signature: 7 }])
      await refused('/api/withdrawals', none, 400, 'ROTA-6501')
    assert.equal((await ask(`/api/withdrawals/${ID}/${withdrawal.tag}`)).value.state, 'unknown')
  })

  it('refuses old and other questions, and sends those about rounds to the hospital', async () => {
    const request = (what: string, at = now()) => signRequest(secretOf('ann'), PROGRAMME, { what, at }, w.domain)
    await refused('/api/proofs', request(ASK_ROUNDS), 404, 'ROTA-6507')
    await refused('/api/proofs', request(ASK_ROUNDS, now() - 301), 400, 'ROTA-6503')
    await refused('/api/proofs', request(ASK_ROUNDS, now() + 301), 400, 'ROTA-6503')
    await refused('/api/proofs', request('something else'), 400, 'ROTA-6502')
    await refused('/api/proofs', { ...request(ASK_ROUNDS), at: now() - 1 }, 400, 'ROTA-6502')
    const { tag, oneTimeAddress } = consentKeys(secretOf('new'), PROGRAMME)
    const again = { request: request(askAgain({ tag, oneTimeAddress })), tag, oneTimeAddress }
    await refused('/api/again', again, 404, 'ROTA-6507')
    await refused('/api/again', { ...again, terms: 2 }, 400, 'ROTA-6502')
    await refused('/api/again', { ...again, terms: '2' }, 400, 'ROTA-6501')
    await refused('/api/again', { ...again, request: request(askAgain({ tag, oneTimeAddress, terms: 2 })), terms: 2 }, 404, 'ROTA-6507')
    await refused('/api/again', { request: request(askAgain({ tag, oneTimeAddress })), tag: signed('dan').tag, oneTimeAddress }, 400, 'ROTA-6502')
    await refused('/api/again', { request: request(askAgain({ tag, oneTimeAddress })) }, 400, 'ROTA-6501')
  })

  it('tells what the chain says of rounds, and refuses wrong queries', async () => {
    await w.world.node(w.world.site(siteId(1))).consentRoot(ID, 4, digest(`0x${'ab'.repeat(32)}`) as Digest)
    const { value } = await ask(`/api/records?programme=${ID}&site=1&rounds=9.9&epochs=4,5`)
    assert.deepEqual([(value as ToldRecords).rounds, (value as ToldRecords).epochs.map(({ epoch }) => epoch)], [[], [4]])
    await refused(`/api/record?programme=${ID}&site=1&run=9&round=9&tag=${ID}`, undefined, 404, 'ROTA-6010')
    for (const query of [
      '',
      `?programme=${ID}&site=1`,
      `?programme=${ID}&site=-1&rounds=1.1`,
      `?programme=1&site=1&rounds=1.1`,
      `?programme=${ID}&site=1&rounds=1`,
    ])
      await refused(`/api/records${query}`, undefined, 400, 'ROTA-6501')
    await refused(`/api/withdrawn?programme=${ID}&prefix=0x1`, undefined, 400, 'ROTA-6501')
  })

  it('tells all withdrawals up to a block, and what hash a block has that is there', async () => {
    const { tag } = signed('eve')
    await w.chain.withdrawMany(ID, [signed('eve')])
    const { block } = (await w.answers.onChain(ID, tag)) ?? assert.fail('it is on chain')
    const from = async (path: string) => {
      const response = await fetch(`${server.url}${path}`, { headers: { 'x-forwarded-for': '10.0.0.7' } })
      return { status: response.status, value: await response.json() }
    }
    const until = async (last: number) => ((await from(`/api/withdrawn?programme=${ID}&until=${last}`)).value as Withdrawn).withdrawn.map((each) => each.tag)
    assert.ok((await until(block)).includes(tag) && !(await until(block - 1)).includes(tag))
    const { number } = await w.chain.head()
    type Block = { readonly number: number; readonly hash: string }
    const [there, later] = [
      (await from(`/api/block?number=${number}`)).value,
      (await from(`/api/block?number=${number + 1}`)).value,
    ] as readonly Block[] as readonly [Block, Block]
    assert.deepEqual([there.number, there.hash.length, later], [number, 66, { number: number + 1, hash: null }])
    for (const path of [`/api/withdrawn?programme=${ID}&until=x`, `/api/withdrawn?until=3`, '/api/block', '/api/block?number=-1']) {
      const { status, value } = await from(path)
      assert.deepEqual([status, (value as { code: string }).code], [400, 'ROTA-6501'], path)
    }
  })

  it('answers what is too long or nowhere, and serves no other file', async () => {
    await refused('/api/withdrawals', 'x'.repeat(5_000), 413, 'ROTA-6506')
    for (const path of ['/api', '/package.json', '/..%2f..%2fpackage.json', '/<script>']) await refused(path, undefined, 404, 'ROTA-6511')
    const { status, value } = await ask('/')
    assert.deepEqual([status, value], [200, '<p>page</p>'])
  })

  it("takes pieces that are no HTTP for their sender's fault, and fills no log with them", async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write('POST /api/withdrawals HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nZZ\r\n')
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    assert.match(answer, /^HTTP\/1\.1 400/)
    assert.deepEqual((await ask('/api/place')).status, 200)
    assert.deepEqual(told, [])
  })

  it('keeps to itself what is for whoever runs it', async () => {
    const broken = {
      ...parts.work,
      place: () => Promise.reject(new RotaError('ROTA-1306', { file: '/secret/path', reason: 'ENOSPC' })),
      withdrawn: () => Promise.reject(new RotaError('ROTA-5001')),
    }
    const sick = await startPortalServer({ host: '127.0.0.1', port: 0 }, { ...parts, work: broken, behindProxy: false })
    const place = await (await fetch(`${sick.url}/api/place`)).text()
    const withdrawn = await (await fetch(`${sick.url}/api/withdrawn?programme=${ID}&prefix=0xabc`)).text()
    assert.match(place, /ROTA-6517/)
    assert.match(withdrawn, /ROTA-6516/)
    assert.doesNotMatch(place + withdrawn, /secret|5001|1306/)
    await sick.stop()
  })

  it('limits how often one address asks, and tells others apart', async () => {
    const from = (address: string) => fetch(`${server.url}/api/place`, { headers: { 'x-forwarded-for': `1.2.3.4, ${address}` } })
    const statuses: number[] = []
    for (let i = 0; i < 302; i++) statuses.push((await from('10.0.0.1')).status)
    assert.deepEqual([statuses.indexOf(429), statuses.at(-1)], [USUAL_REQUESTS, 429])
    assert.equal((await from('10.0.0.2')).status, 200)
    await w.clock.advance(2_000)
    assert.equal((await from('10.0.0.1')).status, 200)
  })

  it('takes as many as whoever runs it allows', async () => {
    const narrow = await startPortalServer({ host: '127.0.0.1', port: 0 }, { ...parts, requestsPerMinute: 60 })
    const statuses: number[] = []
    for (let i = 0; i < 61; i++) statuses.push((await fetch(`${narrow.url}/api/place`)).status)
    assert.equal(statuses.indexOf(429), 60)
    await narrow.stop()
  })

  it('names an address that is taken or is none', async () => {
    const { port } = new URL(server.url)
    await assert.rejects(startPortalServer({ host: '127.0.0.1', port: Number(port) }, parts), (error) => isRotaError(error, 'ROTA-6512'))
    assert.deepEqual(
      [readListen('127.0.0.1:0'), readListen('[::1]:80'), readListen('8470')],
      [
        { host: '127.0.0.1', port: 0 },
        { host: '::1', port: 80 },
        { host: '127.0.0.1', port: 8470 },
      ],
    )
    for (const text of ['', 'x', '127.0.0.1', 'host:x', 'host:99999', 'a b:1', 'http://127.0.0.1:1'])
      assert.throws(
        () => readListen(text),
        (error) => isRotaError(error, 'ROTA-6515'),
      )
  })
})

describe('a limit of requests', () => {
  it('counts all addresses of one IPv6 network together', () => {
    for (const [address, network] of [
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
      ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
      ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
      ['::1', '0:0:0:0::/64'],
      ['fe80::1%eth0', 'fe80:0:0:0::/64'],
      ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
      ['192.0.2.7', '192.0.2.7'],
      ['unknown', 'unknown'],
    ] as const)
      assert.equal(networkPart(address), network)
  })

  it('refills evenly, and counts a flood from many addresses together', async () => {
    const clock = new HandClock()
    const limit = new RateLimit(60, clock)
    for (let i = 0; i < 60; i++) assert.ok(limit.take('a'))
    assert.deepEqual([limit.take('a'), limit.take('b', 61), limit.take('b', 60)], [false, false, true])
    await clock.advance(1_000)
    assert.deepEqual([limit.take('a'), limit.take('a')], [true, false])
    for (let i = 0; i < 20_100; i++) limit.take(`flood ${i}`)
    assert.equal(Array.from({ length: 100 }, (_, i) => limit.take(`more ${i}`)).every(Boolean), false)
  })
})
