import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { openDeskLog } from '#app/desk/desk-files.ts'
import { removeDeskUser } from '#app/desk/desk-users.ts'
import { readDeskLog } from '#app/desk/read-desk-log.ts'
import { connectSite, openSiteFolder } from '#app/site/site-folder.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { siteStatus } from '#app/site/site-status.ts'
import { eventText } from '#audit/event-text.ts'
import { isRotaError } from '#base/errors.ts'
import { readWithdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { isLook } from '#web/desk/desk-log.ts'
import type { ImportAnswer, Person } from '#wire/desk-api.ts'
import { decodeDeskDay } from '#wire/desk-day.ts'
import { bundle, consent, SYSTEM } from '../fhir/support.ts'
import { HTML_NAME, makeDeskSite, PROGRAMME, startDeskAt, Visitor } from './desk-site.ts'

/**
 * The desk over HTTP, with a real site and chain
 * ├── without a session: nothing but the way in, and that says nobody's name
 * ├── record, find, withdraw, lost card, print; what is printed escapes names, and is gone once handed over; a confirmation is printed again
 * ├── an import is shown before it is done, and says what is refused; its people have a limit of their own
 * ├── attacks: a form of another page, another origin, another host name, no token, an old cookie, a fixed session, a code used twice,
 * │   an account that was removed, bodies too large or wrong, paths out of the folder
 * ├── whoever looks at too many is stopped, over sessions and restarts, and it is noted and reported
 * ├── every look is in the log; the file names nobody
 * ├── a day that is over is declared on chain, once
 * └── the chain is away: a withdrawal counts here at once
 */
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
type Site = Awaited<ReturnType<typeof makeDeskSite>>
type Desk = Awaited<ReturnType<typeof startDeskAt>>

describe('the desk', { timeout: 120_000 }, () => {
  let site: Site
  let desk: Desk
  let codes: (atMs?: number) => string
  let anna: Visitor
  const body = { programme: PROGRAMME, language: 'en' }
  const said = async (response: Response): Promise<[number, unknown]> => [response.status, ((await response.json()) as { code?: unknown }).code]
  const json = async <T>(response: Response): Promise<T> => {
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as T
  }

  before(async () => {
    site = await makeDeskSite(() => ({ looksPerHour: 8, importedPerHour: 3 }))
    await writeFile(join(site.folder, 'fhir.yaml'), `patient: { system: '${SYSTEM}' }\n`)
    codes = await site.addUser('anna')
    const folder = await openSiteFolder(site.folder, null)
    await openDeskLog(folder).append([{ at: `${YESTERDAY}T00:00:00.000Z`, who: 'anna', what: 'looked', patient: patientDigest(folder.vault, '4713') }])
    desk = await startDeskAt(site.folder)
    anna = new Visitor(desk.url)
  })
  after(async () => {
    await desk?.stop()
    await site?.stop()
  })

  it('shows nothing but the way in to whoever is not signed in', async () => {
    const page = await anna.get('/')
    assert.equal(page.status, 200)
    const policy = page.headers.get('content-security-policy') ?? ''
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) assert.ok(policy.includes(rule), rule)
    assert.equal(page.headers.get('cache-control'), 'no-store')
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
    assert.deepEqual(await json(await anna.get('/api/session')), { site: 'Basel', service: false, session: null })
    for (const path of [
      '/api/people/find',
      '/api/people/record',
      '/api/people/withdraw',
      '/api/people/lost-card',
      '/api/people/confirm',
      '/api/import/preview',
      '/api/import/record',
      '/api/sign-out',
    ])
      assert.deepEqual(await said(await anna.post(path, {})), [401, 'ROTA-6703'], path)
    assert.deepEqual(await said(await anna.get('/api/programmes')), [401, 'ROTA-6703'])
    assert.equal((await anna.get('/print/x')).headers.get('location'), '/?fault=ROTA-6703', 'a person sees a page, not JSON')
  })

  it('lets in by name, password and code', async () => {
    assert.deepEqual(await said(await anna.signIn('anna', '000000')), [401, 'ROTA-6701'])
    assert.deepEqual(await said(await anna.signIn('zoe', codes())), [401, 'ROTA-6701'])
    const fixed = 'rota-desk=an-attacker-chose-this'
    anna.cookie = fixed
    const code = codes()
    const entered = await anna.signIn('anna', code)
    assert.equal(entered.status, 200)
    assert.match(entered.headers.getSetCookie()[0] ?? '', /^rota-desk=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    assert.notEqual(anna.cookie, fixed, 'whatever the browser held before is not the session')
    const attacker = new Visitor(desk.url)
    attacker.cookie = fixed
    assert.equal((await json<{ session: unknown }>(await attacker.get('/api/session'))).session, null)
    assert.deepEqual(await said(await new Visitor(desk.url).signIn('anna', code)), [401, 'ROTA-6701'], 'a code that was used')
  })

  it('records, finds, replaces a lost card, withdraws', async () => {
    const find = async (patient: string): Promise<Person> => json(await anna.post('/api/people/find', { patient }))
    const fresh = await find('4711')
    assert.deepEqual([fresh.inData, fresh.chainReached, fresh.consents.map(({ state }) => state)], [true, true, ['none']])
    assert.deepEqual((await find('471')).consents[0]?.state, 'none', 'a part of an identifier finds nobody')
    assert.equal((await find('4712')).consents[0]?.state, 'granted')
    const recorded = await json<{ tag: string; print: string; problem: unknown }>(await anna.post('/api/people/record', { ...body, patient: '4711' }))
    assert.equal(recorded.problem, null)
    assert.deepEqual(await said(await anna.post('/api/people/record', { ...body, patient: '4711' })), [400, 'ROTA-6003'])
    const card = await anna.get(`/print/${recorded.print}`)
    assert.match(await card.text(), new RegExp(recorded.tag.slice(2, 10)))
    assert.doesNotMatch(card.headers.get('content-security-policy') ?? '', /script-src/)
    assert.deepEqual(
      readdirSync(sitePaths(site.folder).state).filter((name) => name.startsWith('desk-') && !name.startsWith('desk-users')),
      [],
      "no patient's key stays on the disk",
    )
    await json(await anna.post('/api/prints/handed-over', { print: recorded.print }))
    assert.equal((await anna.get(`/print/${recorded.print}`)).headers.get('location'), '/?fault=ROTA-6714')
    const lost = await json<{ recorded: { tag: string } }>(await anna.post('/api/people/lost-card', { ...body, patient: '4711' }))
    assert.notEqual(lost.recorded.tag, recorded.tag)
    const withdrew = await json<{ tag: string; print: string }>(await anna.post('/api/people/withdraw', { ...body, patient: '4711' }))
    assert.equal(withdrew.tag, lost.recorded.tag)
    assert.equal((await find('4711')).consents[0]?.state, 'withdrawn')
    assert.deepEqual(await said(await anna.post('/api/people/withdraw', { ...body, patient: '4711' })), [400, 'ROTA-6004'])
    const sheet = await (await anna.get(`/print/${withdrew.print}`)).text()
    assert.match(sheet, /withdrawn/i)
    await json(await anna.post('/api/prints/handed-over', { print: withdrew.print }))

    // The paper was lost on the way home.
    assert.deepEqual(await said(await anna.post('/api/people/confirm', { ...body, patient: '4712' })), [400, 'ROTA-6030'])
    const again = await json<{ print: string; problem: unknown }>(await anna.post('/api/people/confirm', { ...body, language: 'de', patient: '4711' }))
    assert.equal(again.problem, null)
    const german = await (await anna.get(`/print/${again.print}`)).text()
    assert.match(german, /Vom Krankenhaus gegengezeichnet/)
    const numberIn = (html: string) => /([0-9a-f]{4}-){3}[0-9a-f]{4}/.exec(html)?.[0]
    assert.equal(numberIn(german), numberIn(sheet))
    // The sheet says so, and whoever asks for the file gets one that can be checked.
    const kept = /withdrawal-[0-9a-f]{16}\.json/.exec(german)?.[0] ?? ''
    assert.equal(readWithdrawalReceipt(readFileSync(join(sitePaths(site.folder).withdrawals, kept), 'utf8'))?.tag, withdrew.tag)
    assert.equal((await new Visitor(desk.url).get(`/print/${again.print}`)).headers.get('location'), '/?fault=ROTA-6703')
    assert.deepEqual(
      readdirSync(sitePaths(site.folder).state).filter((name) => name.startsWith('desk-') && !name.startsWith('desk-users')),
      [],
    )
  })

  it('escapes names, and takes none that are no names', async () => {
    const found = await anna.post('/api/people/find', { patient: HTML_NAME })
    assert.match(found.headers.get('content-type') ?? '', /^application\/json/)
    assert.equal((await json<Person>(found)).inData, true)
    const { print } = await json<{ print: string }>(await anna.post('/api/people/record', { ...body, patient: HTML_NAME }))
    assert.doesNotMatch(await (await anna.get(`/print/${print}`)).text(), /<img src=x/)
    for (const patient of ['', '   ', 'a\nb', 'x'.repeat(129)])
      assert.deepEqual(await said(await anna.post('/api/people/find', { patient })), [400, 'ROTA-6713'], patient)
    assert.deepEqual(await said(await anna.post('/api/people/record', { ...body, programme: '../x', patient: '4713' })), [400, 'ROTA-6706'])
    // What would clear the screen of whoever reads the desk's log, and write its own lines there, never gets into it.
    for (const programme of ['\x1b[2Jx', 'x\n2026-01-01 anna looked', '\u202ex', '']) {
      assert.deepEqual(await said(await anna.post('/api/people/withdraw', { ...body, programme, patient: '4713' })), [400, 'ROTA-6706'])
      assert.deepEqual(await said(await anna.post('/api/import/preview', { fhir: '{}', language: 'en', programme })), [400, 'ROTA-6706'])
    }
  })

  it('takes nothing from other pages, hosts and old sessions', async () => {
    const ask = (headers: Readonly<Record<string, string>>) => anna.post('/api/people/find', { patient: '4712' }, headers)
    assert.deepEqual(await said(await ask({ 'x-rota-csrf': '' })), [403, 'ROTA-6704'])
    assert.deepEqual(await said(await ask({ 'x-rota-csrf': 'a'.repeat(43) })), [403, 'ROTA-6704'])
    assert.deepEqual(await said(await ask({ origin: 'https://evil.example' })), [403, 'ROTA-6704'])
    assert.deepEqual(await said(await ask({ origin: 'null' })), [403, 'ROTA-6704'])
    assert.deepEqual(await said(await ask({ 'sec-fetch-site': 'cross-site' })), [403, 'ROTA-6704'])
    assert.deepEqual(await said(await ask({ 'content-type': 'text/plain' })), [400, 'ROTA-6706'])
    assert.deepEqual(await said(await ask({ 'content-type': 'application/x-www-form-urlencoded' })), [400, 'ROTA-6706'])
    assert.deepEqual(
      await said(await anna.post('/api/sign-in', { name: 'anna', password: 'x', code: '1' }, { origin: 'https://evil.example' })),
      [403, 'ROTA-6704'],
      'nobody signs a steward in elsewhere',
    )
    assert.match(await rawly(desk.url, 'GET /api/session HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 403/)
    const other = new Visitor(desk.url)
    other.csrf = anna.csrf
    assert.deepEqual(await said(await other.post('/api/people/find', { patient: '4712' })), [401, 'ROTA-6703'], 'the token alone is nothing')
  })

  it('answers wrong requests with one error each, and reads no file by its path', async () => {
    assert.deepEqual(await said(await anna.post('/api/people/find', 'no json')), [400, 'ROTA-6706'])
    assert.deepEqual(await said(await anna.post('/api/people/find', '[]')), [400, 'ROTA-6706'])
    assert.deepEqual(await said(await anna.post('/api/people/find', { patient: 7 })), [400, 'ROTA-6706'])
    assert.deepEqual(await said(await anna.post('/api/people/find', { patient: 'x'.repeat(20_000) })), [400, 'ROTA-6706'])
    assert.deepEqual(await said(await anna.post('/api/import/preview', { fhir: 'x'.repeat(8 * 1024 * 1024), programme: PROGRAMME, language: 'en' })), [
      400,
      'ROTA-6706',
    ])
    const many = `[${'{"resourceType": "Consent"},'.repeat(10_001)}{}]`
    assert.deepEqual(await said(await anna.post('/api/import/preview', { fhir: many, programme: PROGRAMME, language: 'en' })), [400, 'ROTA-6706'])
    for (const path of [
      '/../vault.json',
      '/..%2f..%2fvault.json',
      '/%2e%2e/vault.json',
      '/print/..%2f..%2fvault.json',
      '//etc/passwd',
      '/page.js/../../../rota.yaml',
    ]) {
      const answer = await rawly(desk.url, `GET ${path} HTTP/1.1\r\nHost: ${new URL(desk.url).host}\r\nCookie: ${anna.cookie}\r\nConnection: close\r\n\r\n`)
      assert.match(answer, /^HTTP\/1\.1 (40[04]|303)/, path)
      assert.doesNotMatch(answer, /scrypt|root:/)
    }
    assert.equal((await anna.get('/api/people/find')).status, 404)
    // Pieces that are no HTTP: the sender's fault, and no line in the log.
    const head = `POST /api/sign-in HTTP/1.1\r\nHost: ${new URL(desk.url).host}\r\ncontent-type: application/json\r\n`
    for (const rest of ['transfer-encoding: chunked\r\n\r\n2\r\n{}\r\nZZ\r\n', 'content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'])
      assert.match(await rawly(desk.url, head + rest), /^HTTP\/1\.1 400/)
    assert.doesNotMatch(readFileSync(desk.lines, 'utf8'), /desk\.fault/)
  })

  it('stops whoever looks at too many people, also over a restart, and reports it', async () => {
    const look = async (i: number) => said(await anna.post('/api/people/find', { patient: `browsing ${i}` }))
    const answers: [number, unknown][] = []
    for (let i = 0; i < 8; i++) answers.push(await look(i))
    assert.deepEqual(answers.at(-1), [429, 'ROTA-6705'])
    assert.equal((await anna.post('/api/people/find', { patient: '4712' })).status, 200, 'people looked at before are no new ones')
    await sleep(200)
    const old = anna.cookie
    await desk.stop()
    desk = await startDeskAt(site.folder)
    anna = new Visitor(desk.url)
    anna.cookie = old
    assert.equal((await json<{ session: unknown }>(await anna.get('/api/session'))).session, null, 'sessions end with the process')
    assert.equal((await anna.signIn('anna', codes(Date.now() + 30_000))).status, 200)
    assert.deepEqual(await look(99), [429, 'ROTA-6705'])
    const { desk: figures } = await siteStatus(site.folder, new AbortController().signal)
    assert.deepEqual([figures?.url, figures?.limited], [desk.url, 1])
    assert.match(readFileSync(desk.lines, 'utf8'), /"event":"desk.limited","account":"anna","count":8/)
    assert.doesNotMatch(readFileSync(desk.lines, 'utf8'), /4711|4712|browsing/, 'no log line names a patient')
  })

  it('imports what was shown, and not too many people', async () => {
    const of = (id: string, value: string, change: object = {}) => ({
      resource: consent({ id, patient: { identifier: { system: SYSTEM, value } }, ...change }),
    })
    const post = (path: string, ...entries: object[]) => anna.post(`/api/import/${path}`, { ...body, fhir: bundle(entries) })
    const file = [of('a', '4713'), of('b', '4712'), of('c', '4712', { id: 'c', modifierExtension: [{ url: 'urn:x' }] })]
    const preview = await json<ImportAnswer>(await post('preview', ...file))
    assert.deepEqual(
      preview.rows.map(({ outcome, error }) => error?.code ?? outcome),
      ['recorded', 'unchanged', 'ROTA-6056'],
    )
    const done = await json<ImportAnswer & { prints: { patient: string; print: string }[] }>(await post('record', ...file))
    assert.deepEqual([done.recorded, done.refused, done.prints.map(({ patient }) => patient)], [1, 1, ['4713']])
    assert.equal((await anna.get(`/print/${done.prints[0]?.print}`)).status, 200)
    assert.deepEqual(await said(await post('preview', of('d', '1'), of('e', '2'))), [429, 'ROTA-6720'])
    assert.deepEqual(await said(await anna.post('/api/import/preview', { ...body, fhir: '<Consent/>' })), [400, 'ROTA-6050'])
  })

  it('has every look in its log, which names nobody', async () => {
    const folder = await openSiteFolder(site.folder, null)
    const entries = (await openDeskLog(folder).entries()).filter(({ at }) => !at.startsWith(YESTERDAY))
    const count = (what: string): number => entries.filter((entry) => entry.what === what).length
    assert.deepEqual([count('recorded'), count('withdrew'), count('confirmed'), count('limited'), count('signed in')], [3, 2, 1, 1, 2])
    assert.deepEqual([count('previewed'), count('imported')], [2, 2])
    assert.ok(count('looked') >= 12 && count('printed') >= 3)
    assert.ok(entries.every(({ who, patient, what }) => who === (what === 'declared' ? '' : 'anna') && (patient !== undefined) === isLook({ what })))
    assert.match(readFileSync(folder.paths.desk, 'utf8'), /^([\w+/=]+\n)+$/)
    assert.doesNotMatch(JSON.stringify(entries), /4711|4712/)
    assert.doesNotMatch(JSON.stringify(entries), /\\u001b|\\n|\u202e/, 'what would forge lines where it is read')
    const { entries: about } = await readDeskLog({ ...site.call, patient: '4711', user: undefined, from: undefined })
    assert.deepEqual(new Set(about.map(({ what }) => what)), new Set(['looked', 'recorded', 'printed', 'withdrew', 'confirmed']), 'who has looked at me?')
    assert.deepEqual(await readDeskLog({ ...site.call, patient: undefined, user: 'zoe', from: undefined }), { entries: [], missing: null })
    assert.deepEqual((await readDeskLog({ ...site.call, patient: undefined, user: undefined, from: '2999-01-01' })).entries, [])
    await assert.rejects(readDeskLog({ ...site.call, patient: undefined, user: undefined, from: 'yesterday' }), (error) => isRotaError(error, 'ROTA-1004'))
  })

  it('declares on chain what the day before was', async () => {
    const folder = await openSiteFolder(site.folder, null)
    const chain = await connectSite(folder, new AbortController().signal)
    try {
      const declared = await chain.events(0, { kinds: ['AuditEntry'] })
      assert.deepEqual(
        declared.map(({ kind }) => kind),
        ['AuditEntry'],
        'once, over two starts of the desk',
      )
      const [event] = declared
      assert.ok(event?.kind === 'AuditEntry')
      assert.deepEqual(decodeDeskDay(event.category, event.subject)?.day, YESTERDAY)
      assert.match(eventText(event), new RegExp(`its desk on ${YESTERDAY}: at most 1 times`))
    } finally {
      await chain.stop()
    }
  })

  it('stops the use at once while the chain is away, and says so', async () => {
    await site.chain.stop()
    const done = await json<{ problem: { code: string } | null }>(await anna.post('/api/people/withdraw', { ...body, patient: '4712' }))
    assert.equal(done.problem?.code, 'ROTA-5001')
    const found = await json<Person>(await anna.post('/api/people/find', { patient: '4712' }))
    assert.deepEqual([found.chainReached, found.consents[0]?.state], [false, 'withdrawn'])
    assert.ok(
      readdirSync(sitePaths(site.folder).withdrawals).some((name) => name.endsWith('.json')),
      'for rota consent confirm, once the chain is back',
    )
    // What was signed before is printed from what is kept.
    const signed = await json<{ print: string; problem: unknown }>(await anna.post('/api/people/confirm', { ...body, patient: '4711' }))
    assert.equal(signed.problem, null)
    assert.match(await (await anna.get(`/print/${signed.print}`)).text(), /Countersigned by the hospital/)
    assert.ok(
      readdirSync(sitePaths(site.folder).withdrawals).some((name) => name.endsWith('.json')),
      'for rota consent confirm, once the chain is back',
    )
  })

  it('ends a session for good: signed out, or without its account', async () => {
    const copy = new Visitor(desk.url)
    copy.cookie = anna.cookie
    copy.csrf = anna.csrf
    await json(await anna.post('/api/sign-out', {}))
    assert.deepEqual(await said(await copy.post('/api/people/find', { patient: '4712' })), [401, 'ROTA-6703'], 'a copied cookie is worth nothing now')
    const bert = new Visitor(desk.url)
    const bertsCodes = await site.addUser('bert')
    assert.equal((await bert.signIn('bert', bertsCodes())).status, 200)
    await removeDeskUser({ ...site.call, user: 'bert' })
    assert.deepEqual(await said(await bert.post('/api/people/find', { patient: '4712' })), [401, 'ROTA-6703'])
  })
})

/** What no client sends by itself. */
async function rawly(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}
