import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isRotaError } from '#base/errors.ts'
import { toCbor } from '#wire/cbor.ts'
import { decodeEpochBundle, encodeEpochBundle } from '#wire/epoch-bundle.ts'

// an epoch's bundle
// ├── that carries no more than the key before has the bytes that older nodes write and read
// ├── that carries others gives them back
// └── with anything else in their place is refused

const sealed = (fill: number) => new Uint8Array(60).fill(fill)
const wraps = [{ recipient: new Uint8Array(32).fill(1), wrap: new Uint8Array(92).fill(2) }]
const plain = [1, 3, 4, sealed(5), wraps.map(({ recipient, wrap }) => [recipient, wrap])]

describe("an epoch's bundle", () => {
  it('without other keys is as it was before there were any', () => {
    const bundle = { study: 3, epoch: 4, previous: sealed(5), earlier: [], wraps }
    assert.deepEqual(encodeEpochBundle(bundle), toCbor(plain))
    assert.deepEqual(decodeEpochBundle(toCbor(plain)), bundle)
  })

  it('gives back the keys that it carries', () => {
    const bundle = { study: 3, epoch: 4, previous: null, earlier: [2, 0].map((epoch) => ({ epoch, sealed: sealed(epoch) })), wraps }
    assert.deepEqual(decodeEpochBundle(encodeEpochBundle(bundle)), bundle)
  })

  it('with anything else in their place is refused', () => {
    const many = Array.from({ length: 1_025 }, (_, epoch) => [epoch, sealed(0)])
    for (const earlier of [7, [[0, sealed(1).subarray(1)]], [[-1, sealed(1)]], [['0', sealed(1)]], [5], many])
      assert.throws(
        () => decodeEpochBundle(toCbor([...plain, earlier])),
        (error) => isRotaError(error, 'ROTA-4001'),
      )
  })
})
