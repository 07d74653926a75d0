import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { isProcessAlive } from '#adapters/devchain/machine.ts'
import { besidePeer } from '../../../scripts/bench/masked-rows.ts'
import { type BenchOptions, readOptions } from '../../../scripts/bench/options.ts'
import { install, measurePeers } from '../../../scripts/bench/peers.ts'
import { endTree } from '../../../scripts/bench/process-tree.ts'
import { tableText } from '../../../scripts/bench/table.ts'

// given a benchmark that is asked to run others beside Rota
// ├── when their scripts or Python are not here, or nothing is installed: it says which, and measures Rota alone
// ├── the row of a peer that did not run has no bar, and says why; of one that did, a fifth of its median is the bar
// └── when a peer is ended: what its processes started in sessions of their own ends, too

const figure = (median: number) => ({ median, low: median, high: median })
const turn = (seconds: readonly number[], load: number) => ({ roundSeconds: seconds, cpuSeconds: figure(2), load })

describe('the benchmark beside others', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-beside-'))
    await mkdir(join(dir, 'peers/flower'), { recursive: true })
  })
  after(() => rm(dir, { recursive: true, force: true }))

  const why = async (): Promise<string> => {
    const { flower } = await measurePeers(readOptions(['masked', '--peers', '--shared', dir]) as BenchOptions, ['masked'], () => undefined)
    assert.ok('none' in flower)
    return flower.none
  }

  it('says what it lacks', async () => {
    assert.match(await why(), /their scripts are not in .*rota-beside/)
    await writeFile(join(dir, 'peers/flower/deploy.py'), '')
    const path = process.env.PATH
    process.env.PATH = dir
    try {
      assert.match(await why(), /Python 3\.11 or newer/)
      assert.equal(await install(join(dir, 'python'), ['flwr==1.41.0']), 'flwr==1.41.0 could not be installed: spawn python3 ENOENT')
    } finally {
      process.env.PATH = path
    }
  })

  it('compares with what was measured between its own, or says why not', () => {
    const beside = besidePeer('a masked round', [turn([1, 2], 4), turn([3, 4, 5], 6)], { roundSeconds: [20, 10, 30], cpuSeconds: figure(80), load: 9 })
    assert.deepEqual([beside.rota.median, beside.bar, beside.peers[0]?.median], [3, 4, 20])
    assert.match(beside.note ?? '', /^2\.0 CPU s .* Flower's 80\.0; .* 4\.0, 9\.0, 6\.0$/)
    assert.match(tableText([beside]), /bar 4: holds\n +Flower SecAgg\+ +20 s \(10–30\) +ratio 0\.15\n/)
    const alone = besidePeer('a masked round', [turn([1], 4)], 'pip got nothing')
    assert.match(tableText([alone]), / no bar\n +\(not beside Flower's SecAgg\+: pip got nothing\)$/)
  })

  it('ends the whole tree of a process', async () => {
    // As Flower's SuperLink does: a child in a session of its own, which starts another, and neither ends with it.
    const child = `const { spawn } = require('child_process'); process.on('SIGTERM', () => {}); const own = { detached: true, stdio: ['ignore', 'inherit', 'ignore'] }`
    const last = `process.on('SIGTERM', () => {}); console.log(process.pid); setInterval(() => {}, 1000)`
    const middle = `${child}; console.log(process.pid); spawn(process.execPath, ['-e', ${JSON.stringify(last)}], own); setInterval(() => {}, 1000)`
    const first = spawn(
      process.execPath,
      ['-e', `${child}; spawn(process.execPath, ['-e', ${JSON.stringify(middle)}], own); process.exitCode = 0; setTimeout(() => {}, 60000)`],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    let said = ''
    first.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    while (said.split('\n').length < 3) await once(first.stdout, 'data')
    const ids = [first.pid as number, ...said.trim().split('\n').map(Number)]
    assert.equal(ids.length, 3)
    assert.deepEqual(ids.map(isProcessAlive), [true, true, true])
    await endTree([first.pid as number], 500)
    assert.deepEqual(ids.map(isProcessAlive), [false, false, false])
  })
})
