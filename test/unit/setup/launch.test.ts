import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'

/*
 * the launcher
 * ├── when all is set up: says nothing, passes words, output, exit code and signals on
 * └── the lock: one at a time; one whose owner is gone counts for nothing
 */

let dir = ''
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rota-launch-'))
})
after(() => rm(dir, { recursive: true, force: true }))

async function launch(source: string, words: readonly string[] = [], atLine: (line: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined) {
  const file = join(dir, `program-${words.length}-${source.length}.mjs`)
  await writeFile(file, source)
  const child = spawn(process.execPath, ['scripts/setup/launch.mjs', '--no-contracts', relative('.', file), ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    out += piece
    atLine(out, (signal) => child.kill(signal))
  })
  child.stderr.setEncoding('utf8').on('data', (piece) => {
    err += piece
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  return { code, out, err }
}

describe('the launcher', () => {
  it('passes words, output and exit code on, and says nothing of its own', async () => {
    const { code, out, err } = await launch('console.log(JSON.stringify(process.argv.slice(2)), process.versions.node.split(".")[0]); process.exitCode = 7', [
      '--keep',
      'a b',
      '"c"',
    ])
    assert.deepEqual([code, err], [7, ''])
    const [words, major] = out.trim().split(/ (?=\d+$)/)
    assert.deepEqual(JSON.parse(words as string), ['--keep', 'a b', '"c"'])
    assert.ok(Number(major) >= 24)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`passes ${signal} on once and waits for the end`, async () => {
      const source = `let n = 0; process.on('${signal}', () => { n += 1; setTimeout(() => { console.log('heard', n); process.exit(5) }, 100) }); setInterval(() => {}, 1000); console.log('ready')`
      let sent = false
      const { code, out } = await launch(source, [signal], (text, kill) => {
        if (text.includes('ready') && !sent) {
          sent = true
          kill(signal)
        }
      })
      assert.deepEqual([code, out], [5, 'ready\nheard 1\n'])
    })
  }

  it('ends with 128 and the signal when the program is killed', async () => {
    assert.equal((await launch("process.kill(process.pid, 'SIGKILL')")).code, 137)
  })

  it('names a program that is not there by its exit code', async () => {
    const child = spawn(process.execPath, ['scripts/setup/launch.mjs', '--no-contracts', 'nowhere.mjs'], { stdio: 'ignore' })
    assert.equal(await new Promise((resolve) => child.once('close', resolve)), 1)
  })
})

describe('the lock of set-up', () => {
  it('lets one at a time work', async () => {
    const { alone } = await import('../../../scripts/setup/lock.mjs')
    const order: string[] = []
    const work = (name: string) =>
      alone(dir, async () => {
        order.push(`${name} in`)
        await new Promise((resolve) => setTimeout(resolve, 50))
        order.push(`${name} out`)
      })
    await Promise.all([work('a'), work('b')])
    assert.deepEqual(order, ['a in', 'a out', 'b in', 'b out'])
    assert.ok(!existsSync(join(dir, '.cache/setup.lock')))
  })

  it('passes over one whose owner is gone', async () => {
    const { alone } = await import('../../../scripts/setup/lock.mjs')
    const gone = spawn(process.execPath, ['-e', ''])
    await new Promise((resolve) => gone.once('close', resolve))
    await writeFile(join(dir, '.cache/setup.lock'), String(gone.pid))
    assert.equal(await alone(dir, async () => 'done'), 'done')
  })
})
