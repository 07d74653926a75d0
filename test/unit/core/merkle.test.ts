import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import process from 'node:process'
import { describe, it } from 'node:test'
import { sha256 as fast } from '#app/sha256.ts'
import type { Sha256 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { LEAF_BYTES, leafCount, merklePath, merkleRoot, verifyPath } from '#core/commit/merkle.ts'
import { lanes } from '#core/commit/sha256-lanes.ts'
import { Seeded } from '#core/model/seeded.ts'
import { sha256 } from './support.ts'

const vectors = createRequire(import.meta.url)('../../vectors/merkle.json') as { cases: { length: number; root: Digest; paths: Record<string, Digest[]> }[] }
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => 31 * i + Math.floor(i / 251) + 7)
const leafOf = (bytes: Uint8Array, leaf: number): Uint8Array => bytes.subarray(leaf * LEAF_BYTES, (leaf + 1) * LEAF_BYTES)

describe('merkle', () => {
  for (const { length, root, paths } of vectors.cases) {
    it(`given ${length} bytes, it gives the root and paths of the golden vector`, () => {
      const bytes = bytesOf(length)
      assert.equal(merkleRoot(bytes, sha256), root)
      for (const [leaf, path] of Object.entries(paths)) assert.deepEqual(merklePath(bytes, Number(leaf), sha256), path)
    })
  }

  it('given any leaf of any tree up to 40 leaves, its path leads to the root, and no other leaf, place or size does', () => {
    for (let leaves = 1; leaves <= 40; leaves++) {
      const bytes = new Seeded(leaves).bytes(leaves * LEAF_BYTES - 300)
      const root = merkleRoot(bytes, sha256)
      assert.equal(leafCount(bytes.length), leaves)
      for (let leaf = 0; leaf < leaves; leaf++) {
        const path = merklePath(bytes, leaf, sha256)
        assert.ok(verifyPath(leafOf(bytes, leaf), leaf, leaves, path, root, sha256))
        const changed = leafOf(bytes, leaf).slice()
        changed[0] = (changed[0] as number) ^ 1
        assert.ok(!verifyPath(changed, leaf, leaves, path, root, sha256))
        if (leaves > 1) assert.ok(!verifyPath(leafOf(bytes, leaf), (leaf + 1) % leaves, leaves, path, root, sha256))
        assert.ok(!verifyPath(leafOf(bytes, leaf), leaf, leaves, path.slice(1).concat(path.length ? [] : [root]), root, sha256))
      }
    }
  })

  it('given a node in place of a leaf, it is not taken for one: the prefixes differ', () => {
    const bytes = bytesOf(4 * LEAF_BYTES)
    const root = merkleRoot(bytes, sha256)
    const [, upper] = merklePath(bytes, 0, sha256)
    const left = Buffer.from((merklePath(bytes, 1, sha256)[0] as string).slice(2), 'hex')
    assert.ok(!verifyPath(left, 0, 2, [upper as Digest], root, sha256))
  })

  it('given a leaf that does not exist, it is refused', () => {
    assert.throws(() => merklePath(bytesOf(2000), 2, sha256), { code: 'ROTA-2109' })
    assert.throws(() => merklePath(bytesOf(2000), -1, sha256), { code: 'ROTA-2109' })
    assert.throws(() => merklePath(bytesOf(2000), 0.5, sha256), { code: 'ROTA-2109' })
    assert.ok(!verifyPath(new Uint8Array(1025), 0, 1, [], merkleRoot(bytesOf(10), sha256), sha256))
  })

  it('given a view into a larger buffer, only the view counts', () => {
    const whole = bytesOf(5000)
    assert.equal(merkleRoot(whole.subarray(100, 3100), sha256), merkleRoot(whole.slice(100, 3100), sha256))
  })

  it('given whole units of 64 leaves, whose nodes are hashed four at a time, the root is the same as node by node', () => {
    const oneByOne: Sha256 = (...parts) => fast(...parts)
    assert.notEqual(lanes(), null)
    for (const length of [64, 65, 127, 128, 129, 192, 193, 64 * 5 + 33, 64 * 16].flatMap((leaves) => [leaves * LEAF_BYTES - 1, leaves * LEAF_BYTES])) {
      const bytes = new Seeded(length).bytes(length)
      assert.equal(merkleRoot(bytes, fast), merkleRoot(bytes, oneByOne), `${length} bytes`)
      if (length % 3 === 0) assert.deepEqual(merklePath(bytes, 63, fast), merklePath(bytes, 63, oneByOne))
    }
  })

  it('given 8 MB, it takes well under a second of the processor', () => {
    const bytes = new Uint8Array(8e6).fill(7)
    const start = process.cpuUsage()
    merkleRoot(bytes, sha256)
    assert.ok(process.cpuUsage(start).user < 1e6)
  })
})
