import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { importedPackages } from '../../../scripts/setup/packages.mjs'

/*
 * packages that set-up puts together
 * ├── each of those that node/ imports has a bundle, which exports what the package does
 * └── the command reads them, and the packages themselves once another is installed, or without a whole map
 */

const ROOT = join(import.meta.dirname, '../../..')
const { bundles } = JSON.parse(readFileSync(join(ROOT, '.cache/packages/map.json'), 'utf8')) as { readonly bundles: Readonly<Record<string, string>> }

describe('bundled packages', () => {
  it('export what the packages do', async () => {
    assert.equal(Object.keys(bundles).length, importedPackages(ROOT).length)
    for (const [file, bundle] of Object.entries(bundles)) {
      // With a query it is no file that the map knows: the package itself.
      const itself = await import(`${pathToFileURL(join(ROOT, file)).href}?itself`)
      const bundled = await import(pathToFileURL(join(ROOT, '.cache/packages', bundle)).href)
      const names = Object.keys(itself).filter((name) => name !== 'module.exports')
      assert.deepEqual(Object.keys(bundled).sort(), names.sort(), file)
    }
  })
})

describe('the command', () => {
  let dir = ''
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-packages-'))
    await write('node_modules/a/index.js', "export const from = 'package'")
    await write('node_modules/a/package.json', '{"name":"a","type":"module","exports":"./index.js"}')
    await write('.cache/packages/b/a.mjs', "export const from = 'bundle'")
    await write('node/cli/say.mjs', "import { from } from 'a'\nconsole.log(from)")
    await cp(join(ROOT, 'node/cli/bundled.mjs'), join(dir, 'node/cli/bundled.mjs'))
  })
  after(() => rm(dir, { recursive: true }))

  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
  const said = async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', './node/cli/bundled.mjs', 'node/cli/say.mjs'], { cwd: dir, timeout: 20_000 })
    return stdout.trim()
  }

  it('reads the bundle while what is installed is what it was made of', async () => {
    const installed = createHash('sha256').update('{}').digest('hex')
    const whole = JSON.stringify({ installed, bundles: { 'node_modules/a/index.js': 'b/a.mjs' } })
    assert.equal(await said(), 'package', 'there is no map yet')
    await write('.cache/packages/map.json', whole)
    assert.equal(await said(), 'package', 'nothing is known of what is installed')
    await write('node_modules/.package-lock.json', '{}')
    assert.equal(await said(), 'bundle')
    await write('node_modules/.package-lock.json', '{ }')
    assert.equal(await said(), 'package', 'another is installed')
    await write('node_modules/.package-lock.json', '{}')
    await write('.cache/packages/map.json', whole.slice(0, -1))
    assert.equal(await said(), 'package', 'half a map')
  })
})
