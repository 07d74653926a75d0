import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { BlockFiles } from '#adapters/store/block-files.ts'
import { writePast } from '#adapters/store/past-cache.ts'
import { MAX_BLOCK_BYTES } from '#adapters/store/sealing.ts'
import { leafOf } from '#adapters/store/unixfs-tree.ts'
import { Seeded } from '#core/model/seeded.ts'

// given blocks that nobody is about to read
// ├── of any length, a full page or not, several at once → each is on disk, byte by byte, and nothing else is
// └── a disk that takes nothing past the system's cache → it is said, and the block is written the usual way

const LENGTHS = [65_537, 69_632, 131_071, 1_048_576, MAX_BLOCK_BYTES]

describe('blocks written past the cache', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-past-'))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  const putAndRead = async (seed: number): Promise<void> => {
    const files = new BlockFiles(join(dir, `${seed}`))
    await files.open()
    const blocks = LENGTHS.map((length, i) => new Seeded(seed + i).bytes(length))
    await Promise.all(blocks.map((bytes) => files.put(leafOf(bytes).cid, bytes)))
    for (const bytes of blocks) {
      const { cid } = leafOf(bytes)
      assert.ok(Buffer.from(bytes).equals(await readFile(files.pathOf(cid))), `${bytes.length} bytes`)
      assert.ok((await files.read(cid, true)) !== null)
    }
    const found = (await readdir(join(dir, `${seed}`), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    assert.equal(found.length, LENGTHS.length)
  }

  it('are whole, whatever their length', () => putAndRead(1))

  it('are written the usual way where the disk does not take them so', async (t) => {
    if (process.platform !== 'linux') return t.skip('only Linux writes past its cache')
    const bytes = new Seeded(9).bytes(MAX_BLOCK_BYTES)
    const file = openSync(join(dir, 'own'), 'wx')
    // A file of /proc is none that is written past a cache.
    assert.equal(await writePast(file, '/proc/self/comm', bytes), false)
    assert.equal(await writePast(file, join(dir, 'own'), bytes), false)
    closeSync(file)
    await putAndRead(100)
  })
})
