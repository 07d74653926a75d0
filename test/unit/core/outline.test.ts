import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '#app/sha256.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { outlineFrom, outlineOf, rootOfUnits, unitBytes, unitCount, unitRoots } from '#core/commit/outline.ts'
import { slicesOf } from '#core/commit/slices.ts'
import { Seeded } from '#core/model/seeded.ts'

// given a vector and its outline
// ├── the outline has the root of the whole tree, whatever the length
// ├── a part that begins at a unit's start has these units
// ├── slices put together again have the outline, also when each was added up elsewhere
// ├── units are so large that there are at most 1,024, and at most 1 MiB up to 1 GiB
// └── a wrong number of units is refused
// given slices
// ├── they cover the vector in order and without gaps, and differ by a unit at most
// └── a vector of fewer units than slices has empty ones

const KIB = 1024
const LENGTHS = [0, 1, 1_000, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 200 * KIB + 5, 1_000_032]
const vector = (length: number): Uint8Array => new Seeded(length).bytes(length)

describe('outline', () => {
  for (const length of LENGTHS)
    it(`has the root of the whole of ${length} bytes`, () => {
      const bytes = vector(length)
      const outline = outlineOf(bytes, sha256)
      assert.equal(outline.root, merkleRoot(bytes, sha256))
      assert.equal(outline.units.length, unitCount(length))
      assert.deepEqual(outlineFrom(length, outline.units, sha256), outline)
    })

  it('is put together from slices that were added up apart', () => {
    const bytes = vector(1_000_032)
    const whole = outlineOf(bytes, sha256)
    for (const slices of [1, 2, 7, 16, 20]) {
      const units = slicesOf(bytes.length, slices).flatMap(({ start, end }) => unitRoots(bytes.subarray(start, end), unitBytes(bytes.length), sha256))
      assert.deepEqual(outlineFrom(bytes.length, units, sha256), whole)
    }
  })

  it('gives a slice a root of its own', () => {
    const bytes = vector(300 * KIB)
    const { units } = outlineOf(bytes, sha256)
    const { start, end, firstUnit, endUnit } = slicesOf(bytes.length, 2)[1] as ReturnType<typeof slicesOf>[number]
    assert.equal(rootOfUnits(units.slice(firstUnit, endUnit), sha256), merkleRoot(bytes.subarray(start, end), sha256))
  })

  it('keeps to 1,024 units', () => {
    assert.equal(unitBytes(64 * KIB * 1024), 64 * KIB)
    assert.equal(unitBytes(64 * KIB * 1024 + 1), 128 * KIB)
    assert.equal(unitBytes(1024 ** 3), 1024 * KIB)
  })

  it('refuses another number of units', () =>
    assert.throws(() => outlineFrom(200 * KIB, outlineOf(vector(100 * KIB), sha256).units, sha256), { code: 'ROTA-2109' }))
})

describe('slices', () => {
  it('cover a vector in order, as even as whole units allow', () => {
    for (const length of LENGTHS)
      for (const slices of [1, 2, 5, 23]) {
        const cuts = slicesOf(length, slices)
        assert.equal(cuts[0]?.start, 0)
        assert.equal(cuts.at(-1)?.end, length)
        cuts.slice(1).forEach((cut, i) => assert.equal(cut.start, cuts[i]?.end))
        const counts = cuts.map(({ firstUnit, endUnit }) => endUnit - firstUnit)
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
      }
  })

  it('are empty where there are fewer units', () =>
    assert.deepEqual(
      slicesOf(100, 4).map(({ start, end }) => end - start),
      [0, 0, 0, 100],
    ))
})
