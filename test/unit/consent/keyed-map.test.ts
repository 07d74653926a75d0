import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '#adapters/cohort/site-maps.ts'
import { utf8 } from '#base/bytes.ts'
import { buildKeyedMap, type MapEntry, type MapProof, proveKey, shownBy } from '#core/consent/keyed-map.ts'

// given a map from keys to values
// ├── it shows each of its keys with its value, and every other key absent
// ├── its root depends on keys and values alone, not on their order
// ├── of no entry and of one it is what its definition says
// ├── keys that share 255 bits are told apart
// ├── two entries of one key are refused
// └── given a proof that was tampered with
//     ├── a sibling, the value, the key at its end: it shows nothing
//     ├── shortened or lengthened: it shows nothing
//     ├── shown for another key: it shows nothing, or what is true
//     └── of another map: it shows nothing

const H = (text: string): Uint8Array => sha256(utf8(text))
const entries = (n: number, from = 0): MapEntry[] => Array.from({ length: n }, (_, i) => ({ key: H(`key ${from + i}`), value: H(`value ${from + i}`) }))
const flipped = (bytes: Uint8Array, at = 0): Uint8Array => bytes.map((b, i) => (i === at ? b ^ 1 : b))

describe('a keyed map', () => {
  const all = entries(300)
  const map = buildKeyedMap(all, sha256)
  const shown = (key: Uint8Array, proof: MapProof) => shownBy(map.root, key, proof, sha256)

  it('shows each key with its value, and every other absent', () => {
    for (const { key, value } of all) assert.deepEqual(shown(key, proveKey(map, key)), { present: true, value })
    for (const { key } of entries(300, 300)) assert.deepEqual(shown(key, proveKey(map, key)), { present: false })
  })

  it('has one root, whatever the order', () => {
    assert.deepEqual(buildKeyedMap([...all].reverse(), sha256).root, map.root)
    assert.notDeepEqual(buildKeyedMap(entries(299), sha256).root, map.root)
    assert.notDeepEqual(buildKeyedMap([...entries(299), { key: H('key 299'), value: H('other') }], sha256).root, map.root)
  })

  it('of nothing is 32 zeros, of one entry its leaf', () => {
    assert.deepEqual(buildKeyedMap([], sha256).root, new Uint8Array(32))
    assert.deepEqual(shownBy(new Uint8Array(32), H('a'), { end: null, siblings: [] }, sha256), { present: false })
    const [{ key, value }] = entries(1) as [MapEntry]
    assert.deepEqual(buildKeyedMap([{ key, value }], sha256).root, sha256(Uint8Array.of(0), key, value))
  })

  it('tells apart keys that share all bits but the last', () => {
    const a = { key: new Uint8Array(32), value: H('a') }
    const b = { key: flipped(new Uint8Array(32), 31), value: H('b') }
    const deep = buildKeyedMap([a, b], sha256)
    const proof = proveKey(deep, b.key)
    assert.equal(proof.siblings.length, 256)
    assert.deepEqual(shownBy(deep.root, b.key, proof, sha256), { present: true, value: b.value })
    assert.throws(() => buildKeyedMap([a, a], sha256), RangeError)
  })

  it('shows nothing by a proof that was tampered with', () => {
    const [{ key }] = all as [MapEntry]
    const { end, siblings } = proveKey(map, key)
    const mine = end as MapEntry
    const last = siblings.length - 1
    const wrong: MapProof[] = [
      { end: mine, siblings: siblings.with(last, flipped(siblings[last] as Uint8Array)) },
      { end: mine, siblings: siblings.with(0, siblings[1] as Uint8Array) },
      { end: { key: mine.key, value: flipped(mine.value) }, siblings },
      { end: { key: flipped(mine.key, 31), value: mine.value }, siblings },
      { end: null, siblings },
      { end: mine, siblings: siblings.slice(0, -1) },
      { end: mine, siblings: siblings.slice(1) },
      { end: mine, siblings: [...siblings, new Uint8Array(32)] },
      { end: mine, siblings: [...siblings, new Uint8Array(31)] },
      { end: mine, siblings: Array.from({ length: 300 }, () => new Uint8Array(32)) },
    ]
    for (const proof of wrong) assert.equal(shown(key, proof), null)
    assert.equal(shownBy(buildKeyedMap(entries(10), sha256).root, key, { end, siblings }, sha256), null)
  })

  it('shows no key present by the proof of another, and none absent that is there', () => {
    for (const { key } of all.slice(0, 40)) {
      for (const other of all.slice(40, 80)) assert.equal(shown(key, proveKey(map, other.key)), null)
      for (const stranger of entries(20, 900)) assert.notEqual(shown(key, proveKey(map, stranger.key))?.present, false)
    }
  })
})
