import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '#adapters/sim/hash.ts'
import { siteId } from '#base/ids.ts'
import { firstWrongLeaf, leafProof, placeOf, sumProof } from '#core/commit/dispute.ts'
import { partsOf } from '#core/commit/dispute-parts.ts'
import { merkleRoot, verifyPath } from '#core/commit/merkle.ts'

/*
  the arguments of a dispute
  ├── name the first leaf that differs, none where only padding does
  ├── name a leaf of both trees where the lengths differ
  ├── prove a leaf under its vector's root
  ├── show what lies in a longer tree at the leaf's place, and the leaf above it in a shorter one
  └── go in parts that carry the sum so far, and the published sum in the last alone
*/
const bytes = (length: number, salt = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + salt) & 255)

describe('the arguments of a dispute', () => {
  it('name the first leaf that differs, none where only padding does', () => {
    const sum = bytes(3_000)
    assert.equal(firstWrongLeaf(sum, sum.with(2_050, 1 ^ (sum[2_050] as number))), 2)
    assert.equal(firstWrongLeaf(sum, sum), null)
    const padded = new Uint8Array(3_072)
    padded.set(sum)
    assert.equal(firstWrongLeaf(sum, padded), null)
    assert.equal(firstWrongLeaf(sum, new Uint8Array(0)), null)
  })

  it('name a leaf of both trees where the lengths differ', () => {
    for (let leaves = 1; leaves <= 40; leaves++)
      for (let others = 1; others <= 40; others++) {
        const [sum, other] = [bytes(leaves * 1024), bytes(others * 1024)]
        const leaf = firstWrongLeaf(sum, other)
        if (leaves === others) assert.equal(leaf, null)
        else {
          assert.ok(leaf !== null && leaf < Math.min(leaves, others), `${leaves} and ${others}`)
          const [here, there] = [placeOf(leaf, leaves), placeOf(leaf, others)]
          assert.ok(here !== there && (here.startsWith(there) || there.startsWith(here)), `${leaves} and ${others}`)
        }
      }
  })

  it("prove a leaf under its vector's root", () => {
    const vector = bytes(5_000)
    const { leaf, path } = leafProof(vector, 4, sha256)
    assert.equal(leaf.length, 1_024)
    assert.ok(verifyPath(leaf, 4, 5, path, merkleRoot(vector, sha256), sha256))
  })

  it("show what lies in a longer tree at the leaf's place, and the leaf above it in a shorter one", () => {
    const deeper = sumProof(bytes(9_000), 0, 2, sha256)
    assert.ok('found' in deeper)
    assert.equal(deeper.path.length, 1)
    const above = sumProof(bytes(1_500), 0, 5, sha256)
    assert.ok('leaf' in above)
    assert.equal(above.path.length, 1)
  })

  it('go in parts that carry the sum so far, and the published sum in the last alone', () => {
    const updates = [1, 2, 3, 4, 5].map((salt) => leafProof(bytes(2_048, salt), 1, sha256))
    const contributions = updates.map((_, i) => ({ site: siteId(i), root: merkleRoot(bytes(2_048, i + 1), sha256) }))
    const evidence = { wordBits: 32, leaf: 1, leaves: 2, contributions, updates, sum: sumProof(bytes(2_048, 9), 1, 2, sha256) } as const
    const parts = partsOf(evidence, 2)
    assert.deepEqual(
      parts.map(({ done, count, partialSum, evidence: e }) => [done, count, partialSum.length, e.updates.length, e.sum.length]),
      [
        [0, 2, 0, 2 * 1_056, 0],
        [2, 2, 1_024, 2 * 1_056, 0],
        [4, 1, 1_024, 1_056, 64],
      ],
    )
    const word = (part: Uint8Array) => new DataView(part.buffer, part.byteOffset).getUint32(1_020, true)
    const sum = updates.slice(0, 4).reduce((total, { leaf }) => (total + word(leaf)) >>> 0, 0)
    assert.equal(word(parts[2]?.partialSum as Uint8Array), sum)
    assert.equal(partsOf(evidence).length, 1)
  })
})
