import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Provider } from 'oidc-provider'
import { addDeskUser } from '#app/desk/desk-users.ts'
import { readConfig, writeConfigText } from '#app/site/config.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { makeBareSite, PASSWORD, startDeskAt } from './desk-site.ts'

/**
 * The hospital's own sign-in service, with a real one (OpenID Connect) on this machine
 * ├── whom it names gets in where the desk has such an account, and nobody else; an account with a password does not come this way
 * ├── an answer that another browser began, one that is played again, and one of the service's refusals lead nowhere
 * └── a service that is away is told as such
 */
describe('the sign-in service', { timeout: 60_000 }, () => {
  let dir: string
  let server: Server
  let desk: Awaited<ReturnType<typeof startDeskAt>>

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-oidc-'))
    let answer: ReturnType<Provider['callback']> | null = null
    server = createServer((request, response) => void answer?.(request, response))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { folder, call } = await makeBareSite(dir)
    await writeFile(join(dir, 'secret'), 'a secret that only the two know\n')
    await mkdir(sitePaths(folder).state, { recursive: true })
    const oidc = { issuer, clientId: 'rota', clientSecretFile: '../secret', claim: 'preferred_username' }
    await writeFile(sitePaths(folder).config, writeConfigText({ ...(await readConfig(folder)), desk: { looksPerHour: 60, importedPerHour: 100, oidc } }))
    await addDeskUser({ ...call, user: 'anna', userPassword: null })
    await addDeskUser({ ...call, user: 'bert', userPassword: { text: PASSWORD } })
    desk = await startDeskAt(folder)
    answer = provider(issuer, `${desk.url}/service/back`).callback()
  })
  after(async () => {
    await desk?.stop()
    server?.closeAllConnections()
    server?.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('lets in whom it names, where the desk has the account', async () => {
    const browser = new Browser()
    const back = await browser.signIn(`${desk.url}/service/start`, 'anna')
    assert.equal(back.status, 200)
    assert.match(back.headers.getSetCookie().join('\n'), /rota-desk=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict/)
    const told = (await (await browser.go(`${desk.url}/api/session`)).json()) as { service: boolean; session: { user: string } | null }
    assert.deepEqual([told.service, told.session?.user], [true, 'anna'])
  })

  it('lets nobody else in', async () => {
    for (const name of ['zoe', 'bert']) {
      const back = await new Browser().signIn(`${desk.url}/service/start`, name)
      assert.deepEqual([back.status, back.headers.get('location')], [303, '/?fault=ROTA-6716'], name)
    }
  })

  it('takes no answer that this browser did not ask for, and none twice', async () => {
    const victim = new Browser()
    const attacker = new Browser()
    const link = await attacker.signIn(`${desk.url}/service/start`, 'anna', 'stop before the desk')
    const to = link.headers.get('location') ?? ''
    assert.ok(to.startsWith(`${desk.url}/service/back?`), to)
    const code = async (browser: Browser, url: string) => (await browser.go(url)).headers.get('location')?.replace('/?fault=', '')
    assert.equal(await code(victim, to), 'ROTA-6704', 'nobody is signed in as somebody else by a link')
    assert.equal((await attacker.go(to)).status, 200)
    assert.equal(await code(attacker, to), 'ROTA-6704', 'played again')
    await attacker.go(`${desk.url}/service/start`)
    assert.equal(await code(attacker, `${desk.url}/service/back?error=access_denied`), 'ROTA-6715')
  })

  it('is told to be away', async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
    const browser = new Browser()
    await browser.go(`${desk.url}/service/start`)
    const back = await browser.go(`${desk.url}/service/back?code=x&state=${browser.cookie('rota-desk-service')}`)
    assert.deepEqual([back.status, back.headers.get('location')], [303, '/?fault=ROTA-6715'])
  })
})

const provider = (issuer: string, redirect: string): Provider =>
  new Provider(issuer, {
    clients: [
      {
        client_id: 'rota',
        client_secret: 'a secret that only the two know',
        redirect_uris: [redirect],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email'] },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
    cookies: { keys: ['a key of the test'] },
    pkce: { required: () => true },
    async loadExistingGrant(context: {
      oidc: {
        client: { clientId: string }
        session: { accountId: string }
        provider: { Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> } }
      }
    }) {
      const { client, session, provider: at } = context.oidc
      const grant = new at.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
  })

/** As far as a sign-in goes: cookies by host and path, redirects one at a time, one form. */
class Browser {
  readonly #cookies = new Map<string, string>()

  cookie(name: string): string {
    return [...this.#cookies].find(([key]) => key.endsWith(` ${name}`))?.[1] ?? ''
  }

  async go(url: string, form?: Readonly<Record<string, string>>): Promise<Response> {
    const { host } = new URL(url)
    const cookie = [...this.#cookies].flatMap(([key, value]) => (key.startsWith(`${host} `) ? [`${key.slice(host.length + 1)}=${value}`] : [])).join('; ')
    const sent = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }
    const response = await fetch(url, { ...sent, headers: cookie === '' ? {} : { cookie }, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0/i.test(line)) this.#cookies.delete(`${host} ${name}`)
      else this.#cookies.set(`${host} ${name}`, value)
    }
    return response
  }

  /** @returns the answer of the desk, or the redirect to it */
  async signIn(start: string, name: string, until = ''): Promise<Response> {
    const home = new URL(start).origin
    let at = start
    let response = await this.go(at)
    for (let i = 0; i < 10; i++) {
      const to = response.headers.get('location')
      if (to === null && at.includes('/interaction/')) response = await this.go(at, { prompt: 'login', login: name, password: 'any' })
      else if (to === null || to.startsWith('/?fault=')) return response
      else {
        if (until !== '' && new URL(to, at).origin === home) return response
        at = new URL(to, at).href
        response = await this.go(at)
      }
    }
    return response
  }
}
