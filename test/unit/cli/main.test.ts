import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { commands } from '#cli/commands/index.ts'
import { rota } from './rota.ts'

/*
 * rota
 * ├── given no words or --help
 * │   └── it lists every command, and loads nothing heavy for it
 * ├── given words that are wrong
 * │   └── it names the nearest right ones and exits with 2
 * ├── given --json and an error
 * │   └── it prints one object with code, what and remedy
 * └── each command
 *     └── has help that ends with an example that begins with its own name
 */

/** Prints each module's address to stderr when it is loaded. */
const TELL_LOADED = `data:text/javascript,${encodeURIComponent("import { registerHooks } from 'node:module'; import { writeSync } from 'node:fs'; registerHooks({ load(url, context, next) { writeSync(2, url + '\\n'); return next(url, context) } })")}`
const HEAVY = /node_modules\/(?!commander\/)|node\/(adapters|app|audit|core|round|web)\//

describe('rota', () => {
  it('lists its commands when it is asked nothing', async () => {
    const { code, stdout } = await rota([])
    assert.equal(code, 0)
    for (const { name } of commands) assert.match(stdout, new RegExp(`\\b${name.split(' ')[0]}\\b`))
  })

  it('loads nothing heavy for help', async () => {
    const { code, stderr } = await rota(['--help'], { nodeArgs: ['--import', TELL_LOADED] })
    const loaded = stderr.split('\n').filter((line) => line.startsWith('file:'))
    assert.equal(code, 0)
    assert.ok(
      loaded.some((url) => url.includes('commander')),
      'the hook tells what is loaded',
    )
    assert.deepEqual(
      loaded.filter((url) => HEAVY.test(url)),
      [],
    )
  })

  it('prints its version', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'))
    assert.equal((await rota(['--version'])).stdout, `${version}\n`)
  })

  it('names the nearest command', async () => {
    const { code, stderr, stdout } = await rota(['simulat'])
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^ROTA-1002 .*\n.*`rota simulate`/)
  })

  it('names the nearest command of a group', async () => {
    const { code, stderr } = await rota(['backend', 'lst'])
    assert.equal(code, 2)
    assert.match(stderr, /`rota backend list`/)
  })

  it('names the nearest option', async () => {
    const { code, stderr } = await rota(['simulate', '--lerner', 'linear'])
    assert.equal(code, 2)
    assert.match(stderr, /^ROTA-1003 .*--lerner\n.*--learner/)
  })

  it('refuses values that an option cannot have', async () => {
    for (const words of [
      ['--sites', 'many'],
      ['--sites', '0'],
      ['--sites', '10001'],
      ['--l2', '-1'],
      ['--rows', '1e3'],
      ['--learning-rate', 'NaN'],
    ]) {
      const { code, stderr } = await rota(['simulate', ...words])
      assert.equal(code, 2, words.join(' '))
      assert.match(stderr, /^ROTA-1004 /)
    }
    assert.match((await rota(['simulate', '--learner', 'logistik'])).stderr, /^ROTA-1005 .*\n.*logistic/)
  })

  it('refuses words too many', async () => {
    assert.match((await rota(['simulate', 'file.csv'])).stderr, /^ROTA-1006 /)
  })

  it('prints an error as one object with --json', async () => {
    const { code, stdout, stderr } = await rota(['simulate', '--json'])
    const { error } = JSON.parse(stdout)
    assert.equal(code, 2)
    assert.equal(stderr, '')
    assert.equal(error.code, 'ROTA-1101')
    assert.equal(error.exitCode, 2)
    assert.equal(typeof error.what, 'string')
    assert.equal(typeof error.remedy, 'string')
  })

  for (const { name, example } of commands) {
    it(`${name} --help ends with an example`, async () => {
      const { code, stdout } = await rota([...name.split(' '), '--help'])
      assert.equal(code, 0)
      const [first] = [example].flat()
      assert.ok(stdout.trimEnd().includes(`Example:\n  $ ${first}`))
      assert.match(stdout, /--json/)
    })
  }
})
