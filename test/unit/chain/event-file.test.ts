import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { openEventFile } from '#adapters/chain/event-file.ts'
import type { RawLog } from '#adapters/chain/rpc.ts'
import { isRotaError } from '#base/errors.ts'
import { address, type Digest, digest } from '#base/ids.ts'

// given a file of logs
// ├── opened again it gives them back in order, and goes on behind them
// ├── any part of it can be read that begins and ends with a line, however long the file is
// ├── what was not written whole is cut off
// └── when it is taken away, reading gives null
// given the file of another chain for the same contracts, it is refused
// given a folder that is none, ROTA-1306

const contracts = address(`0x${'12'.repeat(20)}`)
const genesis = digest(`0x${'01'.repeat(32)}`)
const logOf = (i: number): RawLog => ({
  ...{ address: contracts, topics: [`0x${String(i).padStart(64, '0')}`], data: '0xäß', blockNumber: `0x${i.toString(16)}` },
  ...{ blockHash: '0x', logIndex: '0x0', transactionHash: '0x', blockTimestamp: '0x1' },
})
const logsOf = (from: number, count: number): RawLog[] => Array.from({ length: count }, (_, i) => logOf(from + i))

function folder(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'rota-events-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const open = (first: Digest = genesis) => {
    const file = openEventFile(dir, first, contracts, 'ws://chain')
    const held: { log: RawLog; end: number }[] = []
    file.replay((log, end) => void held.push({ log, end }))
    return { file, held }
  }
  return { open, path: () => join(dir, readdirSync(dir)[0] as string) }
}

describe('file of events', () => {
  it('gives back what it was given, whole or in parts', (t) => {
    const { open, path } = folder(t)
    const ends = open().file.append(logsOf(0, 3_000)) as readonly number[]
    const { file, held } = open()
    assert.deepEqual(
      held.map(({ log }) => log),
      logsOf(0, 3_000),
    )
    assert.deepEqual(
      held.map(({ end }) => end),
      ends,
    )
    const more = file.append(logsOf(3_000, 2)) as readonly number[]
    assert.equal(more[1], statSync(path()).size)
    assert.deepEqual(file.read(file.start, ends[0] as number), logsOf(0, 1))
    assert.deepEqual(file.read(ends[998] as number, ends[2_998] as number), logsOf(999, 2_000))
    assert.deepEqual(file.read(ends[2_999] as number, more[1] as number), logsOf(3_000, 2))
  })

  it('cuts off what was not written whole', (t) => {
    const { open, path } = folder(t)
    open().file.append(logsOf(0, 3))
    appendFileSync(path(), JSON.stringify(logOf(3)).slice(0, 40))
    const { file, held } = open()
    assert.equal(held.length, 3)
    file.append(logsOf(3, 1))
    assert.deepEqual(
      open().held.map(({ log }) => log),
      logsOf(0, 4),
    )
  })

  it('says so when it was taken away, or is another', (t) => {
    const { open, path } = folder(t)
    const { file } = open()
    const ends = file.append(logsOf(0, 3)) as readonly number[]
    truncateSync(path(), (ends[1] as number) + 10)
    assert.equal(file.read(ends[0] as number, ends[2] as number)?.length, 1, 'whoever asked for two sees that one is missing')
    file.clear()
    assert.deepEqual(file.append(logsOf(7, 1))?.length, 1)
    assert.deepEqual(file.read(file.start, ends[0] as number), logsOf(7, 1))
    rmSync(path())
    assert.deepEqual(file.read(file.start, ends[0] as number), [])
  })

  it('is of one chain', (t) => {
    const { open, path } = folder(t)
    open().file.append(logsOf(0, 3))
    assert.throws(
      () => open(digest(`0x${'02'.repeat(32)}`)),
      (error) => isRotaError(error, 'ROTA-5005'),
    )
    assert.equal(readFileSync(path(), 'utf8').split('\n').length, 5, 'nothing is lost')
  })

  it('needs a folder', () => {
    assert.throws(
      () => openEventFile('/dev/null/events', genesis, contracts, 'ws://chain'),
      (error) => isRotaError(error, 'ROTA-1306'),
    )
  })
})
