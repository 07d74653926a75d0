import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Writable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { readFigures } from '#app/desk/desk-figures.ts'
import { addDeskUser, listDeskUsers, removeDeskUser } from '#app/desk/desk-users.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { startDesk } from '#web/desk/desk-server.ts'
import { readListen } from '#web/listening.ts'
import { makeBareSite } from './desk-site.ts'

/**
 * Accounts on the command line
 * ├── a password comes from a file descriptor or a terminal, never as an argument; the secret for codes is shown once
 * ├── wrong names and passwords, an account twice, one that is not there: one error each, and nothing changed
 * ├── `rota desk` serves until SIGTERM
 * └── the desk listens where TLS is not needed, or says what to do; figures hold no name
 */
const PASSWORD = 'four words by chance'

describe('rota desk', { timeout: 60_000 }, () => {
  let dir: string
  let call: { readonly folder: string; readonly password: null }
  const fails = (doing: Promise<unknown>, code: ErrorCode) => assert.rejects(doing, (error) => isRotaError(error, code))

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-desk-command-'))
    call = (await makeBareSite(dir)).call
  })
  after(() => rm(dir, { recursive: true }))

  it('adds a person by a password from a file descriptor, and shows the secret once', async () => {
    const added = await rotaWith(['desk', 'user', 'add', 'anna', '--folder', call.folder, '--user-password-fd', '3'], `${PASSWORD}\n`)
    assert.equal(added.code, 0, added.stderr)
    assert.match(added.stdout, /otpauth:\/\/totp\/\S*anna\S*secret=[A-Z2-7]{32}/)
    assert.match(added.stdout, /█|▄|\x1b\[/, 'a picture for the phone')
    const asked = await rotaWith(['desk', 'user', 'add', 'bert', '--folder', call.folder, '--json'], '')
    assert.deepEqual(
      [asked.code, (JSON.parse(asked.stderr || asked.stdout) as { error: { code: string } }).error.code],
      [2, 'ROTA-6719'],
      'no terminal to ask at',
    )
    const listed = await rotaWith(['desk', 'user', 'list', '--folder', call.folder], '')
    assert.match(listed.stdout, /anna.*password and code/)
    assert.doesNotMatch(listed.stdout, /secret|argon/)
  })

  it('serves the desk until it is told to stop', async () => {
    const child = spawn(process.execPath, ['node/cli/bin.mjs', 'desk', '--folder', call.folder, '--listen', '127.0.0.1:0', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
    })
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const { event, url, site, users } = JSON.parse(line) as Readonly<Record<string, unknown>>
    assert.deepEqual([event, site, users], ['started', 'Basel', 1])
    const page = await fetch(String(url))
    assert.match(await page.text(), /<script defer src="page.js">/)
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'close'), [0, null])
  })

  it('says what is wrong, and changes nothing', async () => {
    const add = (user: string, text = PASSWORD) => addDeskUser({ ...call, user, userPassword: { text } })
    await fails(add('anna'), 'ROTA-6707')
    await fails(add('<b>'), 'ROTA-6709')
    await fails(add('bert', 'too short'), 'ROTA-6710')
    await fails(add('bert', 'x'.repeat(1_001)), 'ROTA-6710')
    await fails(removeDeskUser({ ...call, user: 'bert' }), 'ROTA-6708')
    assert.deepEqual(
      (await listDeskUsers(call)).map(({ user }) => user),
      ['anna'],
    )
    await removeDeskUser({ ...call, user: 'anna' })
    await fails(removeDeskUser({ ...call, user: 'anna' }), 'ROTA-6708')
    await addDeskUser({ ...call, user: 'anna', userPassword: null })
    assert.deepEqual(
      (await listDeskUsers(call)).map(({ signsIn }) => signsIn),
      ['sign-in service'],
    )
  })

  it('lets no password cross a network in the clear', async () => {
    const parts = () => assert.fail('it must not get so far')
    for (const [listen, url] of [
      ['0.0.0.0:0', null],
      ['10.0.0.1:80', null],
      ['127.0.0.1:0', 'http://desk.example'],
      ['0.0.0.0:0', 'http://127.0.0.1'],
    ] as const)
      await fails(startDesk(readListen(listen), url, parts), 'ROTA-6712')
  })

  it('has figures for the status that name nobody', async () => {
    const paths = sitePaths(call.folder)
    assert.deepEqual(Object.keys((await readFigures(paths, Date.now())) ?? {}), ['url', 'at', 'looks', 'limited', 'limitedAt', 'refusedSignIns'])
    assert.equal(await readFigures(paths, Date.now() + 86_460_000), null, 'of another day')
    await writeFile(join(dir, 'figures'), '')
    assert.equal(await readFigures({ deskFigures: join(dir, 'figures') }, Date.now()), null)
    assert.doesNotMatch(await readFile(paths.deskUsers, 'utf8'), /"/)
  })
})

async function rotaWith(words: readonly string[], third: string): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, ['node/cli/bin.mjs', ...words], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 30_000,
  })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name]?.setEncoding('utf8').on('data', (piece: string) => (said[name] += piece))
  const pipe = child.stdio[3] as Writable
  pipe.on('error', () => undefined)
  pipe.end(third)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...said }
}
