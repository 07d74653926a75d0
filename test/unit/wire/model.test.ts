import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Model } from '#core/model/model.ts'
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
