import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret, TOTP } from 'otpauth'
import { startAnvil } from '#adapters/devchain/anvil.ts'
import { createNetwork, joinNetwork } from '#app/chain/network.ts'
import { recordConsents } from '#app/consent/consent-record.ts'
import { addDeskUser } from '#app/desk/desk-users.ts'
import { runDesk } from '#app/desk/serve-desk.ts'
import { readConfig, type SiteConfig, writeConfigText } from '#app/site/config.ts'
import { initSite } from '#app/site/init-site.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { CHEAP_KEYS } from '../../support/cheap-keys.ts'

export const PASSWORD = 'four words by chance'
export const PROGRAMME = 'cardio'
/** A name as somebody might write it who wants to run a script in the steward's browser. */
export const HTML_NAME = `<img src=x onerror="alert(1)">`
export const PATIENTS = ['4711', '4712', '4713', HTML_NAME]

const never = new AbortController().signal

/** One hospital with its own chain, rows of four patients, and a programme under which patient 4712 has consented. */
export async function makeDeskSite(desk?: (dir: string) => NonNullable<SiteConfig['desk']>) {
  const dir = await mkdtemp(join(tmpdir(), 'rota-desk-'))
  const chain = await startAnvil({ stateFile: join(dir, 'chain.json') })
  const stop = async (): Promise<void> => {
    await chain.stop()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    return { ...(await foundSite(dir, chain.url, desk)), chain, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A hospital's folder with its keys and the rows of one patient, in no network: for whatever the desk does without a chain. */
export async function makeBareSite(dir: string): Promise<{ readonly folder: string; readonly call: { readonly folder: string; readonly password: null } }> {
  const folder = join(dir, 'site')
  const password = { file: join(dir, 'password') }
  const data = join(dir, 'rows.csv')
  await writeFile(password.file, 'correct horse battery staple\n', { mode: 0o600 })
  await writeFile(data, 'patient\n4711\n')
  const nowhere = {
    chain: 'ws://127.0.0.1:1',
    data,
    mapping: undefined,
    listen: [],
    announce: [],
    webPort: 1,
    password,
    stewardPassword: undefined,
    keyCost: CHEAP_KEYS,
  }
  await initSite({ folder, name: 'Basel', ...nowhere })
  return { folder, call: { folder, password: null } }
}

async function foundSite(dir: string, chain: string, desk: ((dir: string) => NonNullable<SiteConfig['desk']>) | undefined) {
  const folder = join(dir, 'site')
  const password = { file: join(dir, 'password') }
  await writeFile(password.file, 'correct horse battery staple\n', { mode: 0o600 })
  const data = join(dir, 'rows.csv')
  await writeFile(data, `patient,age\n${PATIENTS.map((name, i) => `"${name.replaceAll('"', '""')}",${40 + i}`).join('\n')}\n`)
  const place = {
    folder,
    chain,
    data,
    mapping: undefined,
    listen: [],
    announce: [],
    webPort: undefined,
    password,
    stewardPassword: undefined,
    keyCost: CHEAP_KEYS,
  }
  await initSite({ name: 'Basel', ...place })
  const { contracts } = await createNetwork({ chain, founders: [join(folder, 'site.json')] }, never)
  const call = { folder, password: null, signal: never }
  await joinNetwork({ ...call, contracts, wait: false }, () => undefined)
  if (desk !== undefined) await writeFile(sitePaths(folder).config, writeConfigText({ ...(await readConfig(folder)), desk: desk(dir) }))
  await recordConsents({ ...call, programme: PROGRAMME, patients: { names: ['4712'] }, receipts: join(dir, 'receipts') })
  return {
    dir,
    folder,
    call,
    /** @returns how to make codes of the account's app */
    async addUser(name: string): Promise<(atMs?: number) => string> {
      const { codes } = await addDeskUser({ ...call, user: name, userPassword: { text: PASSWORD } })
      const secret = new URL(codes?.link ?? '').searchParams.get('secret') ?? ''
      return (atMs = Date.now()) => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: atMs })
    },
  }
}

/** The desk in this process. */
export async function startDeskAt(folder: string, listen = '127.0.0.1:0') {
  const stop = new AbortController()
  const lines = join(folder, 'desk-lines.json')
  let ended: Promise<void> = Promise.resolve()
  const url = await new Promise<string>((resolve, reject) => {
    ended = runDesk({ folder, password: null, listen, log: { format: 'json', file: lines }, signal: stop.signal }, (event) => resolve(event.url))
    ended.catch(reject)
  })
  return {
    url,
    lines,
    async stop(): Promise<void> {
      stop.abort()
      await ended
    },
  }
}

/** A browser as far as HTTP goes: keeps its cookie, and says where its requests come from. */
export class Visitor {
  readonly url: string
  cookie = ''
  csrf = ''

  constructor(url: string) {
    this.url = url
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(new URL(path, this.url), { headers: { ...this.#own(), ...headers }, redirect: 'manual' })
  }

  async post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const own = { ...this.#own(), 'content-type': 'application/json', origin: this.url, ...(this.csrf === '' ? {} : { 'x-rota-csrf': this.csrf }) }
    const response = await fetch(new URL(path, this.url), {
      method: 'POST',
      headers: { ...own, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) this.cookie = set.split(';', 1)[0] ?? ''
    return response
  }

  async signIn(name: string, code: string, password = PASSWORD): Promise<Response> {
    const response = await this.post('/api/sign-in', { name, password, code })
    if (response.ok) this.csrf = ((await response.clone().json()) as { csrf: string }).csrf
    return response
  }

  #own(): Readonly<Record<string, string>> {
    return this.cookie === '' ? {} : { cookie: this.cookie }
  }
}
