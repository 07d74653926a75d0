import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bitmapOf } from '#base/bitmap.ts'
import { siteId } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import { isForShares, isOneSum, refused, withoutSites } from '#core/model/refuse.ts'
import { roomyFloats } from '#core/model/roomy.ts'
import { Seeded } from '#core/model/seeded.ts'
import { toCbor } from '#wire/cbor.ts'
import { decodeModel, encodeModel } from '#wire/model.ts'

// given a large model whose weights have room around them
// ├── its bytes are those of any encoder, in the memory of the weights
// ├── they come back as they were
// └── the same weights in another model are encoded as that one
//
// given one without room, too much around its weights, or what looks like the mark
// └── its bytes are the same, in memory of their own

const COUNT = 300_000
const random = new Seeded(5)
const numbers = Float32Array.from({ length: COUNT }, () => random.uniform())
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)
const modelOf = (weights: Float32Array, state: Model['state'] = {}, refusals = 0): Model => ({
  version: 1,
  learner: 'neural/fedavg',
  stage: 'fit',
  refusals,
  state: { mean: [0.5, -1], std: [1, 2], iteration: 3, ...state, weights: bytesOf(weights) },
})
function roomy(): Float32Array {
  const weights = roomyFloats(COUNT)
  weights.set(numbers)
  return weights
}
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

describe('a large model', () => {
  it('is encoded around its weights where there is room', () => {
    const model = modelOf(roomy())
    const bytes = encodeModel(model)
    assert.ok(same(bytes, toCbor(modelOf(numbers))))
    assert.equal(bytes.buffer, (model.state.weights as Uint8Array).buffer)
    assert.ok(same(decodeModel(bytes).state.weights as Uint8Array, bytesOf(numbers)))
  })

  it('is encoded anew when the same weights stand in another model', () => {
    const weights = roomy()
    for (const refusals of [0, 1, 70_000]) assert.ok(same(encodeModel(modelOf(weights, {}, refusals)), toCbor(modelOf(numbers, {}, refusals))))
  })

  for (const [what, state, weights] of [
    ['has no room', {}, numbers],
    ['has more around it than the room', { notes: 'x'.repeat(70_000) }, roomy()],
    ['has the mark elsewhere', { a: new Uint8Array(32).fill(0xa5) }, roomy()],
  ] as const)
    it(`is copied when it ${what}`, () => {
      const bytes = encodeModel(modelOf(weights, state))
      assert.ok(same(bytes, toCbor(modelOf(numbers, state))))
      assert.notEqual(bytes.buffer, weights.buffer)
    })
})

describe('a model whose round was refused for shares', () => {
  const base = { version: 1, learner: 'any', stage: 'fit', refusals: 0, state: {} } as const

  it('names who is left out, and keeps that through later refusals; those of others are as before', () => {
    const once = withoutSites(base, bitmapOf([siteId(7)]))
    const twice = withoutSites(refused(once), bitmapOf([siteId(2)]))
    assert.deepEqual(once.leftOut, { sites: [7], refusals: 0 })
    assert.deepEqual(twice.leftOut, { sites: [2, 7], refusals: 1 })
    for (const model of [base, once, twice]) assert.deepEqual(decodeModel(encodeModel(model)), model)
    assert.deepEqual([isForShares(once), isForShares(refused(once)), isForShares(twice), isForShares(base)], [true, false, true, false])
    assert.deepEqual([isOneSum(once), isOneSum(refused(once)), isOneSum(twice), isOneSum(refused(twice))], [false, false, true, true])
  })

  it('is none where these are no sites in order', () => {
    for (const leftOut of [{}, null, { sites: [], refusals: 0 }, { sites: [2, 1], refusals: 0 }, { sites: [256], refusals: 0 }, { sites: [1], refusals: 0.5 }])
      assert.throws(() => decodeModel(toCbor({ ...base, leftOut })), { code: 'ROTA-4001' })
  })
})
