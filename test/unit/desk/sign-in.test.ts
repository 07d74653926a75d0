import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Secret, TOTP } from 'otpauth'
import decodeQR from 'qr/decode.js'
import { openDeskLog, openDeskUsers } from '#app/desk/desk-files.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { deskApp } from '#web/desk/desk-app.ts'
import type { DeskWork } from '#web/desk/desk-work.ts'
import { Looks } from '#web/desk/looks.ts'
import { newCodes, stepOf } from '#web/desk/one-time-codes.ts'
import { hashPassword, isPassword } from '#web/desk/passwords.ts'
import { IDLE_MS, LONGEST_MS, Sessions } from '#web/desk/sessions.ts'
import { SignIn } from '#web/desk/sign-in.ts'
import { isUserName } from '#web/desk/users.ts'
import { keyed, tempFolder } from '../cohort/support.ts'

/**
 * Signing in at the desk
 * ├── a password is kept as Argon2id with 64 MiB and three passes; another does not fit
 * ├── codes: those of now, one early, one late; none twice, not even after a restart
 * ├── the picture in the terminal is read back as the link
 * ├── wrong name, password, code: one text; five wrong tries lock, longer each time, also a name without an account, also over a restart
 * ├── a hundred tries at once are a hundred tries
 * ├── behind a proxy with TLS the cookie is __Host-, Secure
 * ├── a session ends after a quarter of an hour without a request, after eight hours, and when it is closed
 * └── accounts are sealed: the file names nobody
 */
const PASSWORD = 'four words by chance'
const SECRET = newCodes('anna', 'Basel').secret
const hash = await hashPassword(PASSWORD)

function site() {
  const folder = tempFolder()
  mkdirSync(join(folder, 'state'))
  return { paths: sitePaths(folder), vault: keyed('a site') } as unknown as SiteFolder
}

let now = Date.parse('2026-11-22T08:00:00Z')
const clock = { nowMs: () => now }
const codeNow = (secret = SECRET): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now })
const fails = (doing: Promise<unknown>, code: ErrorCode) => assert.rejects(doing, (error) => isRotaError(error, code))

async function desk(at = site()) {
  const [users, log] = [openDeskUsers(at), openDeskLog(at)]
  if ((await users.list()).length === 0) await users.add({ name: 'anna', password: hash, codes: SECRET, since: '2026-11-01T00:00:00Z' })
  return { at, users, log, signIn: await SignIn.open({ users, log, clock }) }
}

describe('accounts of the desk', () => {
  it('keep passwords as Argon2id', async () => {
    assert.match(hash, /^\$argon2id\$v=19\$m=65536,t=3,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    assert.equal(await isPassword(PASSWORD, hash), true)
    assert.equal(await isPassword(`${PASSWORD}.`, hash), false)
    assert.equal(await isPassword('', null), false)
    await fails(hashPassword('too short'), 'ROTA-6710')
  })

  it('take the codes of now, one early and one late', () => {
    assert.match(newCodes('anna', 'Basel').link, /^otpauth:\/\/totp\/.*anna\?.*secret=[A-Z2-7]{32}/)
    const at = new TOTP({ secret: Secret.fromBase32(SECRET) })
    const steps = [-60_000, -30_000, 0, 30_000, 60_000].map((ms) => stepOf(SECRET, at.generate({ timestamp: now + ms }), now))
    const step = Math.floor(now / 30_000)
    assert.deepEqual(steps, [null, step - 1, step, step + 1, null])
    for (const wrong of ['', '12345', 'abcdef', '1234567']) assert.equal(stepOf(SECRET, wrong, now), null)
  })

  it('are shown as a picture that a phone can read', () => {
    const { link, picture } = newCodes('anna', 'Basel')
    const lines = picture.split('\n').map((line) => [...line.replace(/\x1b\[[\d;]*m/g, '')])
    const rows = lines.flatMap((line) => [line.map((dots) => '▀█'.includes(dots)), line.map((dots) => '▄█'.includes(dots))])
    assert.ok(lines.length <= 40 && (lines[0]?.length ?? 99) < 80, 'it fits a terminal')
    const [width, height] = [4 * (rows[0]?.length ?? 0), 4 * rows.length]
    const data = new Uint8Array(4 * width * height).fill(255)
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (rows[y >> 2]?.[x >> 2]) data.fill(0, 4 * (y * width + x), 4 * (y * width + x) + 3)
    assert.equal(decodeQR({ width, height, data }), link)
  })

  it('are named after people', () => {
    for (const name of ['anna', 'anna.muster', 'a@b.ch', 'Jörg']) assert.equal(isUserName(name), true, name)
    for (const name of ['', '.anna', 'a b', '<b>', 'a'.repeat(65), '__proto__', 7]) assert.equal(isUserName(name), false, String(name))
  })

  it('are sealed', async () => {
    const { at, users } = await desk()
    const text = readFileSync(at.paths.deskUsers, 'utf8')
    assert.match(text, /^([\w+/=]+\n)+$/)
    await users.remove('anna', new Date(now).toISOString())
    assert.equal(await users.find('anna'), null)
  })
})

describe('signing in', () => {
  it('takes name, password and code, and each code once', async () => {
    now += 90_000
    const { at, signIn } = await desk()
    const code = codeNow()
    assert.equal((await signIn.enter('anna', PASSWORD, code)).name, 'anna')
    await fails(signIn.enter('anna', PASSWORD, code), 'ROTA-6701')
    const again = await desk(at)
    await fails(again.signIn.enter('anna', PASSWORD, code), 'ROTA-6701')
    now += 30_000
    assert.equal((await again.signIn.enter('anna', PASSWORD, codeNow())).name, 'anna')
  })

  it('lets one of two at once in with one code', async () => {
    now += 90_000
    const { signIn } = await desk()
    const tries = await Promise.allSettled([signIn.enter('anna', PASSWORD, codeNow()), signIn.enter('anna', PASSWORD, codeNow())])
    assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  it('says the same whatever was wrong, and locks any name', async () => {
    now += 90_000
    const { at, signIn, log } = await desk()
    const said = new Set<string>()
    const tell = (error: unknown) => said.add(`${(error as Error).message} ${(error as { remedy: string }).remedy}`)
    await signIn.enter('nobody', PASSWORD, codeNow()).catch(tell)
    await signIn.enter('anna', 'wrong password', codeNow()).catch(tell)
    await signIn.enter('anna', PASSWORD, '000000').catch(tell)
    assert.equal(said.size, 1)
    for (const name of ['anna', 'nobody']) {
      for (let i = name === 'anna' ? 2 : 1; i < 5; i++) await fails(signIn.enter(name, 'wrong password', '000000'), 'ROTA-6701')
      await fails(signIn.enter(name, PASSWORD, codeNow()), 'ROTA-6702')
    }
    now += 29_000
    await fails(signIn.enter('anna', PASSWORD, codeNow()), 'ROTA-6702')
    assert.equal((await log.entries()).filter(({ what }) => what === 'refused').length, 5, 'a try that was not looked at is not noted')
    const { signIn: restarted } = await desk(at)
    await fails(restarted.enter('anna', PASSWORD, codeNow()), 'ROTA-6702')
    now += 2_000
    await fails(restarted.enter('anna', 'wrong password', codeNow()), 'ROTA-6701')
    now += 31_000
    await fails(restarted.enter('anna', PASSWORD, codeNow()), 'ROTA-6702')
    now += 30_000
    assert.equal((await restarted.enter('anna', PASSWORD, codeNow())).name, 'anna')
    assert.deepEqual(
      (await log.entries()).map(({ who }) => who).filter((who) => who !== 'anna'),
      [],
      'the log names accounts alone',
    )
  })

  it('counts many at once as many', async () => {
    now += 90_000
    const { signIn } = await desk()
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => signIn.enter('anna', 'wrong password', '000000')))
    const codes = tries.map((t) => (t.status === 'rejected' ? (t.reason as { code: string }).code : 'in'))
    assert.deepEqual([codes.filter((code) => code === 'ROTA-6701').length, codes.filter((code) => code === 'ROTA-6702').length], [5, 7])
  })
})

describe('behind a proxy with TLS', () => {
  it('gives a cookie that no other host can set and no plain connection carries', async () => {
    now += 90_000
    const { users, log, signIn } = await desk()
    const notes = { warn() {}, error() {} }
    const looks = await Looks.open({ log, clock, notes, limits: { looksPerHour: 1, importedPerHour: 1 } })
    const place = { url: new URL('https://desk.example') }
    const app = deskApp({ place, users, log, looks, signIn, clock, notes, service: null, assets: new Map(), work: { siteName: 'Basel' } as DeskWork })
    const headers = { host: 'desk.example', origin: 'https://desk.example', 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'anna', password: PASSWORD, code: codeNow() })
    // The proxy speaks plain HTTP to the desk.
    const entered = await app.request('http://desk.example/api/sign-in', { method: 'POST', headers, body })
    assert.equal(entered.status, 200)
    assert.match(entered.headers.get('set-cookie') ?? '', /^__Host-rota-desk=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    assert.match(entered.headers.get('strict-transport-security') ?? '', /max-age=\d+/)
    const elsewhere = await app.request('http://127.0.0.1:8470/api/session', { headers: { host: '127.0.0.1:8470' } })
    assert.equal(elsewhere.status, 403)
  })
})

describe('a session', () => {
  const user = { name: 'anna', password: hash, codes: SECRET, since: '' }

  it('ends by itself', () => {
    const sessions = new Sessions(clock)
    const { token } = sessions.open(user)
    now += IDLE_MS - 1
    assert.notEqual(sessions.find(token), null)
    now += IDLE_MS
    assert.equal(sessions.find(token), null)
    const { token: long } = sessions.open(user)
    for (let at = 0; at < LONGEST_MS - IDLE_MS; at += IDLE_MS / 2) {
      now += IDLE_MS / 2
      assert.notEqual(sessions.find(long), null)
    }
    now += IDLE_MS
    assert.equal(sessions.find(long), null, 'however busy')
  })

  it('is its own: new tokens, closed for good, five of one person', () => {
    const sessions = new Sessions(clock)
    const all = Array.from({ length: 6 }, () => sessions.open(user))
    assert.equal(new Set(all.flatMap(({ token, session }) => [token, session.csrf])).size, 12)
    assert.deepEqual(
      all.map(({ token }) => sessions.find(token) !== null),
      [false, true, true, true, true, true],
    )
    const last = all[5]?.token ?? ''
    assert.ok(Buffer.from(last, 'base64url').length === 32)
    sessions.close(last)
    assert.equal(sessions.find(last), null)
    assert.equal(sessions.find('x'.repeat(101)), null)
    assert.equal(sessions.find(undefined), null)
  })
})
