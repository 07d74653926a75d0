import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '#adapters/cohort/site-maps.ts'
import { toHex, utf8 } from '#base/bytes.ts'
import { buildCountedMap, type CountedProof, placedBy, proveCounted, provePlace } from '#core/consent/counted-map.ts'
import { type Branch, buildKeyedMap, hashOf, type MapEntry } from '#core/consent/keyed-map.ts'

// given a map whose nodes are counted
// ├── it shows each key present or absent, and each entry has the place of its key in order
// ├── it has another root than the map that is not counted
// ├── nothing is shown by a proof with a sibling, a count or a key changed
// └── made by a liar about counts
//     ├── a place has one entry at most
//     └── what a count leaves out can be shown by nobody

const H = (text: string): Uint8Array => sha256(utf8(text))
const entries = (n: number): MapEntry[] => Array.from({ length: n }, (_, i) => ({ key: H(`key ${i}`), value: H(`value ${i}`) }))
const all = entries(200)
const inOrder = all.toSorted((a, b) => (toHex(a.key) < toHex(b.key) ? -1 : 1))
const map = buildCountedMap(all, sha256)
const shown = (key: Uint8Array, proof: CountedProof, root = map.root) => placedBy(root, key, proof, sha256)

describe('a counted map', () => {
  it('shows each key, and its place', () => {
    for (const [place, { key }] of inOrder.entries()) {
      assert.deepEqual(shown(key, proveCounted(map, key)), { present: true, place, count: 200 })
      assert.deepEqual(provePlace(map, place), proveCounted(map, key))
    }
    for (let i = 0; i < 50; i++) assert.equal(shown(H(`absent ${i}`), proveCounted(map, H(`absent ${i}`)))?.present, false)
    assert.notDeepEqual(map.root, buildKeyedMap(all, sha256).root)
    for (const place of [-1, 200]) assert.throws(() => provePlace(map, place), RangeError)
    const [one] = all as [MapEntry]
    assert.deepEqual(shown(one.key, { end: one, siblings: [], counts: [] }, buildCountedMap([one], sha256).root), { present: true, place: 0, count: 1 })
  })

  it('shows nothing by a proof that was changed', () => {
    const [{ key }] = inOrder as [MapEntry]
    const proof = proveCounted(map, key)
    for (const d of proof.siblings.keys()) {
      assert.equal(shown(key, { ...proof, siblings: proof.siblings.with(d, H('other')) }), null)
      for (const by of [-1, 1, 0.5]) assert.equal(shown(key, { ...proof, counts: proof.counts.with(d, (proof.counts[d] as number) + by) }), null)
    }
    assert.equal(shown(key, { ...proof, counts: proof.counts.slice(1) }), null)
    assert.equal(shown(key, { ...proof, end: null }), null)
    assert.equal(shown(H('other'), proof), null)
  })

  it('made by a liar has one entry at most for each place, and shows nobody whom a count leaves out', () => {
    const under = (branch: Branch): number => (branch === null ? 0 : 'left' in branch ? branch.size : 1)
    // Says of every subtree of five to forty entries that it holds one.
    const told = (branch: Branch): number => (under(branch) >= 5 && under(branch) <= 40 ? 1 : under(branch))
    const counts = (left: Branch, right: Branch) => {
      const bytes = new DataView(new ArrayBuffer(8))
      bytes.setUint32(0, told(left))
      bytes.setUint32(4, told(right))
      return new Uint8Array(bytes.buffer)
    }
    const lied = buildKeyedMap(all, sha256, (left, right) => sha256(Uint8Array.of(2), hashOf(left), hashOf(right), counts(left, right)))
    const taken = new Map<number, string>()
    let count = 0
    for (const { key } of all) {
      // The best that the liar can do: on the way each sibling counts what its parent's hash says.
      const proof = proveCounted(lied, key)
      const way: Branch[] = []
      let here = lied.tree
      for (let d = 0; here !== null && 'left' in here; d++) {
        const right: boolean = (((key[d >> 3] as number) >> (7 - (d & 7))) & 1) === 1
        way.push(right ? here.left : here.right)
        here = right ? here.right : here.left
      }
      const placed = shown(key, { ...proof, counts: way.map(told) }, lied.root)
      if (placed === null) continue
      assert.equal(taken.has(placed.place), false)
      taken.set(placed.place, toHex(key))
      count = placed.count
    }
    assert.ok(taken.size <= count && taken.size < all.length, `${taken.size} of ${count} places`)
  })
})
