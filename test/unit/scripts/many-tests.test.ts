import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { together } from '../../../scripts/test/together.ts'

// given test files that share a process
// ├── each has its line, its failures and skips; hooks outside of suites hold for their file alone
// ├── one that ends the process is named and fails, and those after it are run all the same
// ├── one that does not end is named and fails, as does one that cannot be loaded
// └── what fails after the last test, or is left open, fails and names the files
// given all files of a group
// └── each is run once, alone or with others

const FILES = {
  mixed: `beforeEach(() => { seen += 1 }); it('good', () => {}); it('bad', () => { throw new Error('on purpose') }); it('left out', { skip: 'a reason' }, () => {})`,
  plain: `it('no hook of another file', () => { if (seen > 0) throw new Error('hooked') }); describe('a suite', () => { it('inside', async () => {}) })`,
  ends: `it('before', () => {}); it('ends it', async () => { await new Promise((done) => setTimeout(done, 300)); process.exit(3) }); it('behind', () => {})`,
  hangs: `it('hangs', () => new Promise(() => { setInterval(() => {}, 1_000) }))`,
  broken: `throw new Error('cannot be loaded')`,
  later: `it('looks good', () => { setTimeout(() => { throw new Error('too late') }, 50) })`,
  open: `it('listens on', () => { createServer().listen(0, '127.0.0.1') })`,
}
type Name = keyof typeof FILES

const MANY_TESTS = new URL('../../../scripts/test/many-tests.ts', import.meta.url).href
/** A test cannot run tests: a process of its own does, without the sign by which node:test knows that. */
const PLAY = `
  const { runTogether } = await import(${JSON.stringify(MANY_TESTS)})
  let text = ''
  const tally = await runTogether(process.argv.slice(2), (part) => { text += part }, { fileMs: 2_000, lingerMs: 500 })
  console.log(JSON.stringify({ tally, text }))`

describe('test files in one process', { timeout: 120_000 }, () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-many-tests-'))
    await writeFile(join(dir, 'play.mjs'), PLAY)
    for (const [name, text] of Object.entries(FILES))
      await writeFile(
        join(dir, `${name}.mjs`),
        `import { createServer } from 'node:net'\nimport { beforeEach, describe, it } from 'node:test'\nlet seen = 0\n${text}\n`,
      )
  })
  after(() => rm(dir, { recursive: true }))

  const at = (name: Name): string => join(dir, `${name}.mjs`)
  async function play(...names: Name[]): Promise<{ tally: { passed: number; failed: number; skipped: number }; text: string }> {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { stdout } = await promisify(execFile)(process.execPath, [join(dir, 'play.mjs'), ...names.map(at)], { env })
    return JSON.parse(stdout)
  }

  it('each has its line', async () => {
    const { tally, text } = await play('mixed', 'plain')
    assert.deepEqual(tally, { passed: 3, failed: 1, skipped: 1 })
    assert.match(text, /FAIL \S*mixed\.mjs › bad\n +Error: on purpose/)
    assert.match(text, /^FAIL \S*mixed\.mjs {2}1 passed, 1 skipped {2}[\d.]+ s\n {2}skipped: left out \(a reason\)$/m)
    assert.match(text, /^ok {3}\S*plain\.mjs {2}2 passed {2}[\d.]+ s$/m)
  })

  it('one that ends the process is named, and no test after it is lost', async () => {
    const { tally, text } = await play('ends', 'plain')
    assert.ok(tally.passed >= 2 && tally.failed >= 2, text)
    assert.match(text, /^FAIL \S*ends\.mjs: the process/m)
    assert.match(text, /^FAIL \S*ends\.mjs › /m, 'and again by itself')
    assert.match(text, /^ok {3}\S*plain\.mjs {2}2 passed/m)
  })

  it('one that never ends is named, and one that cannot be loaded', async () => {
    const { tally, text } = await play('broken', 'hangs', 'plain')
    assert.equal(tally.passed, 2, text)
    assert.ok(tally.failed >= 3)
    assert.match(text, /^FAIL \S*broken\.mjs\n +Error: cannot be loaded/m)
    assert.match(text, /^FAIL \S*hangs\.mjs: the process/m)
    assert.match(text, /^ok {3}\S*plain\.mjs {2}2 passed/m)
  })

  it('what comes after the last test fails too', async () => {
    for (const name of ['later', 'open'] as const) {
      const { tally, text } = await play('plain', name)
      assert.deepEqual(tally, { passed: 3, failed: 1, skipped: 0 }, text)
      assert.match(text, new RegExp(`^FAIL after the last test of .*plain\\.mjs, .*${name}\\.mjs: `, 'm'))
    }
  })

  it('every file of a group is run once', () => {
    const files = [...Array.from({ length: 70 }, (_, i) => `test/unit/x/${i}.test.ts`), 'test/unit/cli/main.test.ts', 'test/unit/training/self-test.test.ts']
    const { alone, batches } = together('unit', files)
    assert.deepEqual([...alone, ...batches.flat()].sort(), [...files].sort())
    assert.deepEqual([alone.length, batches.length], [2, 3])
    assert.deepEqual(together('e2e', files), { alone: files, batches: [] })
  })
})
