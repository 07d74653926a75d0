import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { BlockFiles } from '#adapters/store/block-files.ts'
import { rootCid } from '#adapters/store/cids.ts'
import { toDigest } from '#base/bytes.ts'

/**
 * A folder of blocks that two processes have open, as a node and a command beside it have
 * ├── what one is writing the other leaves alone
 * └── what a killed one has left half written is deleted, once it is old
 */
const block = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)
const cid = rootCid(toDigest(createHash('sha256').update(block).digest()))

describe('a folder of blocks', () => {
  let dir: string
  const temporaries = async (): Promise<string[]> =>
    (await readdir(dir, { recursive: true, withFileTypes: true })).flatMap((entry) => (entry.name.endsWith('.tmp') ? [join(entry.parentPath, entry.name)] : []))

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-blocks-'))
  })
  after(() => rm(dir, { recursive: true }))

  it('is opened while another writes to it', async () => {
    const node = new BlockFiles(dir)
    await node.open()
    const inParts = async function* () {
      yield block.subarray(0, 100_000)
      assert.equal((await temporaries()).length, 1)
      await new BlockFiles(dir).open()
      yield block.subarray(100_000)
    }
    await node.put(cid, inParts())
    assert.deepEqual(Uint8Array.from((await node.read(cid, true)) ?? []), block)
    assert.deepEqual(await temporaries(), [])
  })

  it('loses what a killed process has left', async () => {
    const [left, young] = ['left', 'young'].map((name) => join(dir, 'JY', `${name}.tmp`)) as [string, string]
    await new BlockFiles(join(dir, 'JY')).open()
    for (const path of [left, young]) await writeFile(path, 'half')
    const hourAgo = new Date(Date.now() - 3_600_000)
    await utimes(left, hourAgo, hourAgo)
    await new BlockFiles(dir).open()
    assert.deepEqual(await temporaries(), [young])
  })
})
