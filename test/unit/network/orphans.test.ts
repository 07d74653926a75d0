import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { dropOrphans } from '#adapters/store/orphans.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'

/**
 * Blocks that belong to nothing
 * given a folder with objects that the chain names, one that it does not, and half of one whose making was killed
 * ├── the named stay whole, and the others go, root and leaves
 * ├── what is young stays, whoever names it
 * └── a folder that cannot be read is an error
 */
const signal = new AbortController().signal
const bytesOf = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => Math.imul(i + seed * 0x9e3779b1, 0x85ebca6b) >>> 24)

describe('blocks that belong to nothing', () => {
  let dir: string
  let named: Digest[]
  let unnamed: Digest
  const blocks = async (): Promise<string[]> =>
    (await readdir(dir, { recursive: true, withFileTypes: true })).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort()

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-orphans-'))
    const store = await openOfflineStore(dir)
    named = [await store.putPlain(bytesOf(100, 1), signal), await store.putPlain(bytesOf(3_500_000, 2), signal)]
    unnamed = await store.putPlain(bytesOf(2_500_000, 3), signal)
  })
  after(() => rm(dir, { recursive: true }))

  it('go, and what the chain names stays whole', async () => {
    const store = await openOfflineStore(dir)
    const all = await blocks()
    assert.equal(all.length, 2 + 5 + 4)
    assert.equal(await dropOrphans(dir, named, Date.now() - 3_600_000), 0, 'all are young')
    const old = new Date(Date.now() - 7_200_000)
    for (const path of all) await utimes(path, old, old)
    // Written anew an hour later: it stays, though nothing of its object is named.
    const young = all.find((path) => path.endsWith('.data')) as string
    await utimes(young, new Date(), new Date())
    const dropped = await dropOrphans(dir, named, Date.now() - 3_600_000)
    assert.ok(dropped === 4 || dropped === 3)
    for (const cid of named) assert.ok(await store.has(cid))
    assert.ok(!(await store.has(unnamed)))
    await utimes(young, old, old).catch(() => undefined)
    assert.equal(await dropOrphans(dir, named, Date.now() - 3_600_000), 4 - dropped)
    assert.equal((await blocks()).length, 7)
  })

  it('go when half an object is left, its root or its leaves', async () => {
    const store = await openOfflineStore(dir)
    const before = await blocks()
    await store.putPlain(bytesOf(1_500_000, 4), signal)
    const made = (await blocks()).filter((path) => !before.includes(path))
    await rm(made[0] as string)
    assert.equal(await dropOrphans(dir, named, Date.now() + 1_000), made.length - 1)
    assert.deepEqual(await blocks(), before)
  })

  it('cannot be looked for where there is no folder', async () => {
    await assert.rejects(dropOrphans(join(dir, 'none'), [], 0), (error) => isRotaError(error, 'ROTA-4013'))
  })
})
